import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.rules import oscillating_loss
from limen.vitals import Vitals
from tests.findings.patients import Course, Layer, Patient, falling, noisy

LIMITS = Thresholds()
THROWS = (100, 200, 300)


def surging(t: np.ndarray) -> np.ndarray:
    """Falls to 0.2, is thrown up to 3 at each of THROWS and falls again."""
    since = np.min([np.where(t >= at, t - at, np.inf) for at in (0, *THROWS)], axis=0)
    return 0.2 + 2.8 * np.exp(-since / 10.0)


def large_then(t: np.ndarray) -> np.ndarray:
    return np.where(np.isin(t, THROWS), 0.3, 1e-3)


def jumping(t: np.ndarray) -> np.ndarray:
    """From side to side, by 0.8 at a level of 2."""
    return 2.0 + 0.4 * (-1.0) ** t


SURGES = noisy(surging, 0.005)
JUMPS = noisy(jumping, 0.05)


def swinging(loss: Course = SURGES, update: Course = large_then, **story: object) -> Vitals:
    layers = Layer("fc1", update=update), Layer("fc2", update=1e-3)
    return Patient(layers, losses=(loss,), **story).vitals  # pyright: ignore


def test_surges_are_told_with_the_step_that_threw_it_up() -> None:
    (finding,) = oscillating_loss(swinging(), LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("oscillating-loss", "model", "warning")
    assert (finding.measured, finding.limit, finding.unit) == (3.0, 3.0, "surges")
    assert "thrown up 3 times" in finding.message
    assert "fc1.linear.weight moved by 30 % of its norm in step 300" in finding.message


def test_turns_are_told() -> None:
    (finding,) = oscillating_loss(swinging(JUMPS, 0.11), LIMITS)
    assert finding.measured == pytest.approx(0.4, abs=0.02)
    assert "up and down in turn, by 4" in finding.message


def test_its_cause_is_the_learning_rate() -> None:
    found = {one.symptom: one for one in diagnose(swinging())}
    assert found["oscillating-loss"].causes[0].name == "learning-rate-too-high"
    assert found["oscillating-loss"].remedies[0] == "lower-learning-rate"


def until(last: int) -> Course:
    """As SURGES, the last throws left out."""
    return noisy(lambda t: surging(np.where(t < last, t, np.maximum(t - last, 60.0))), 0.005)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        swinging(update=1e-3),  # gentle steps: the task changes
        swinging(until(290)),  # twice is not thrice
        swinging(steps=1000, update=large_then),  # long over
        swinging(noisy(falling(2.4, 0.2), 0.05)),  # large steps, and nothing came of them
        swinging(lambda t: SURGES(t) - 0.3),  # below zero: a likelihood has no size
        swinging(noisy(jumping, 0.05), 0.09),  # the steps are not large
        swinging(lambda t: 2.0 + 0.29 * (-1.0) ** t, 0.11),  # by 29 %
        swinging(noisy(2.0, 0.5), 0.11),  # small batches differ as much, but not in turn
        swinging(lambda t: jumping(t) * np.exp(-t / 200), 0.11),  # jumps on its way down
        swinging(JUMPS, 0.11, steps=49),  # too early
        swinging(lambda t: np.where(t < 400, surging(t), np.nan)),  # that is non-finite
        Patient((Layer("g", update=large_then),), losses=(SURGES, SURGES)).vitals,  # adversaries
        swinging(1.0, 0.11),
        swinging(0.0, 0.11),
    ],
    ids=["nothing", "gentle", "twice", "over", "falls", "negative", "small-steps", "small-swing", "noise", "on-its-way",
         "early", "nan", "adversaries", "constant", "zero"],
)  # fmt: skip
def test_stays_silent(vitals: Vitals) -> None:
    assert list(oscillating_loss(vitals, LIMITS)) == []


def test_turns_of_a_thinned_history_are_unknown() -> None:
    """Every second row of a loss that jumps from side to side does not move at all."""
    seen = swinging(JUMPS, 0.11)
    loss = dataclasses.replace(seen.losses[0], step=seen.losses[0].step * 2)
    assert list(oscillating_loss(dataclasses.replace(seen, losses=(loss,), step=800), LIMITS)) == []


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    assert len(list(oscillating_loss(swinging(lambda t: scale * SURGES(t), function="mse"), LIMITS))) == 1
    assert len(list(oscillating_loss(swinging(lambda t: scale * JUMPS(t), 0.11, function="mse"), LIMITS))) == 1
