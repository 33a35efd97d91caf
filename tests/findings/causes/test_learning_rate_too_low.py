from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.causes import FACTS, learning_rate_too_low
from limen.findings.causes.learning_rate_too_low import LOUD
from limen.vitals import Vitals
from tests.findings.patients import Course, Floats, Layer, Patient, noisy

LIMITS = Thresholds()


def stuck(gradient: float) -> Vitals:
    layers = tuple(Layer(name, update=1e-9, weight_gradient=gradient) for name in ("fc1", "fc2"))
    return Patient(layers, losses=(noisy(2.3, 0.02),), learning_rate=1e-7).vitals


def test_small_steps_on_a_clear_gradient_are_its_fault() -> None:
    harm, seen = diagnose(stuck(0.5))
    assert (harm.symptom, seen.symptom) == ("not-learning", None)
    for finding in (harm, seen):
        assert [cause.name for cause in finding.causes] == ["learning-rate-too-low"]
        assert finding.remedies[0] == "raise-learning-rate"
        assert "1.0e-9 of its norm" in finding.causes[0].evidence


def test_small_steps_without_a_gradient_are_not() -> None:
    vitals = stuck(1e-9)
    (finding,) = diagnose(vitals)
    assert learning_rate_too_low(vitals, finding, LIMITS) is None


NORM = 1.41 * 8  # of a weight of 64 units
GUESS = float(np.log(64))  # the loss of a guess among as many classes
sight = FACTS["learning-rate-too-low"].sight


def early(
    update: Course = 1e-7,
    *,
    gradient: float = 0.1 * NORM,
    steps: int = 20,
    loss: float = GUESS,
    scale: float = 1.41,
    rate: Callable[[Floats], Floats] | None = None,
    other: float | None = None,
) -> Vitals:
    """The first steps of two layers, the second of which may move by ``other``."""
    moves = (update, update if other is None else other)
    layers = tuple(
        Layer(f"fc{i}", update=move, weight_gradient=gradient, scale=scale if i else 1.41)
        for i, move in enumerate(moves)
    )
    vitals = Patient(layers, steps=steps, losses=(noisy(loss, 0.01),), classes=0).vitals
    if rate is None:
        return vitals
    own = vitals.optimisers[0]
    return replace(vitals, optimisers=(replace(own, learning_rate=rate(own.step.astype(float))),))


@pytest.mark.parametrize(
    "vitals",
    [
        early(),
        early(LIMITS.frozen_update),
        early(0.0),
        early(lambda t: np.where(t == 1, 1e-5, 1e-7)),
        early(gradient=LOUD * NORM * 1.01),
        early(steps=400),
        early(rate=lambda t: 1e-7 * 0.999**t),
        replace(early(), losses=()),
    ],
    ids=[
        "usual",
        "at the limit",
        "no move at all",
        "but for the first step",
        "quiet",
        "later",
        "a slow decay",
        "no loss",
    ],
)
def test_steps_too_small_are_seen_at_once(vitals: Vitals) -> None:
    (finding,) = sight(vitals, LIMITS)
    assert (finding.name, finding.severity, finding.where) == ("learning-rate-too-low", "warning", "model")


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        early(1.01 * LIMITS.frozen_update),
        early(lambda t: np.where(t % 5 == 1, 1e-5, 1e-7)),
        early(other=1e-3),
        early(steps=19),
        early(gradient=LOUD * NORM * 0.99),
        early(gradient=np.nan),
        early(update=np.nan),
        early(loss=0.1),
        early(scale=1e-3),
        early(rate=lambda t: 1e-7 * t),
        early(rate=lambda t: np.zeros_like(t)),
        early(rate=lambda t: 1e-3 * 0.9**t, steps=100),
    ],
    ids=[
        "nothing", "above the limit", "one step in five is larger",
        "another weight moves", "too few steps", "a faint gradient", "no gradient",
        "no update known", "a trained network", "a weight begun at about zero", "a warm-up", "a rate of zero",
        "the end of a schedule",
    ],
)  # fmt: skip
def test_nothing_is_said_at_once(vitals: Vitals) -> None:
    assert list(sight(vitals, LIMITS)) == []
