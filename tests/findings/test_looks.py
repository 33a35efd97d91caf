"""How often chance alone is told, over all looks at a whole training."""

import numpy as np
import pytest
from scipy.stats import norm

from limen.findings import Thresholds
from limen.findings.figures import noise
from limen.findings.looks import BEYOND, margin
from limen.findings.rules import RULES
from limen.vitals import Vitals
from tests.findings.courses import fallen, looks, seen, sound
from tests.findings.patients import Course, Floats, Layer, Patient

LIMITS = Thresholds()
STEPS = 10_000
COURSES = 36
TOLD = 0.005  # of the runs, by chance alone


@pytest.mark.parametrize(("steps", "count"), [(10_000, 57), (1_000_000, 105), (100_000_000, 154)])
def test_all_looks_together_tell_chance_in_less_than_half_a_percent(steps: int, count: int) -> None:
    assert len(list(looks(steps))) == count
    assert count * norm.sf(BEYOND) < TOLD


@pytest.mark.parametrize(("rows", "courses"), [(16, 200_000), (40, 100_000), (200, 20_000)])
def test_a_noise_that_was_estimated_from_few_rows_is_allowed_for(rows: int, courses: int) -> None:
    """Levels of the first and the last eighth of pure noise differ beyond the margin no more often than assumed."""
    draws = np.random.default_rng(rows).normal(size=(courses, rows))
    change = np.diff(draws, axis=1)
    change = np.abs(change - np.median(change, axis=1, keepdims=True))
    spread = 1.4826 * np.median(change, axis=1) / np.sqrt(2.0)
    assert spread[0] == pytest.approx(noise(draws[0]), rel=1e-3)
    eighth = rows // 8
    blocks = np.array_split(draws, 8, axis=1)
    rise = np.median(blocks[-1], axis=1) - np.median(blocks[0], axis=1)
    beyond = int((rise > margin(rows) * spread * np.sqrt(np.pi / eighth)).sum())
    expected = courses * norm.sf(BEYOND)
    assert beyond <= expected + 4.0 * np.sqrt(expected) + 1.0


def at_rest(t: Floats) -> Floats:
    """Update ratios of a training whose schedule has ended."""
    return np.where(t < 300, 1e-3, 1e-9)


def witnessed(update: Course) -> Vitals:
    """A training whose weights speak against it all along: only its loss does not."""
    return Patient((Layer("fc1", update=update), Layer("fc2", update=update)), steps=STEPS, losses=(1.0,)).vitals


@pytest.mark.parametrize(
    ("rules", "vitals"),
    [
        (("diverging-loss", "oscillating-loss"), witnessed(0.15)),
        (("not-learning",), witnessed(0.4)),
        (("not-learning",), witnessed(at_rest)),
        (("slow-learning",), witnessed(5e-6)),
    ],
    ids=["thrown", "violent", "at-rest", "slow"],
)
def test_a_sound_loss_is_no_alarm_at_any_look(rules: tuple[str, ...], vitals: Vitals) -> None:
    """Even beside weights that move as in a sick training, at every look of 10,000 steps.

    That a loss has not fallen is true of a sound one, too, until it has: twice as many steps as half of it takes.
    """
    alarms = []
    for number in range(COURSES):
        level, value = sound(number, STEPS)
        patience = 2 * fallen(level, 0.5)
        for step in looks(STEPS):
            if step >= patience or rules[0] == "diverging-loss":
                found = [one for name in rules for one in RULES[name](seen(vitals, value, step), LIMITS)]
                alarms += [(number, step, one.name) for one in found]
    assert alarms == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_flat_loss_beside_weights_that_do_not_move_is_told_at_every_look(seed: int, scale: float) -> None:
    """Noise alone never looks like a fall: from step 20 to the end the finding stays open."""
    value = scale * (2.0 + 0.1 * np.random.default_rng(seed).normal(size=STEPS))
    silent = [
        step for step in looks(STEPS) if not list(RULES["not-learning"](seen(witnessed(1e-7), value, step), LIMITS))
    ]
    assert silent == []
