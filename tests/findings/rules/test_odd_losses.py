"""The rules that read the course of the loss, on losses that no course can be read from."""

from collections.abc import Callable

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import diverging_loss, not_learning, oscillating_loss, slow_learning
from limen.findings.rules.registry import Rule
from limen.vitals import Vitals
from tests.findings.patients import Course, Floats, Layer, Patient

RULES = (diverging_loss, not_learning, oscillating_loss, slow_learning)
UPDATES = (np.nan, 0.0, 1e-9, 5e-6, 1e-3, 0.2, 0.6, np.inf)
ODD: dict[str, Course] = {
    "nan": np.nan,
    "infinite": np.inf,
    "one infinite": lambda t: np.where(t == 3, np.inf, 2.0),
    "gaps": lambda t: np.where(t % 2 == 0, np.nan, 2.0 - 1e-3 * t),
    "largest": 1e308,
    "smallest": 5e-324,
    "of both signs": lambda t: (-1.0) ** t * 1e300,
}


def told(rule: Rule, vitals: Vitals) -> list[str | None]:
    with np.errstate(all="ignore"):  # as diagnose does
        return [one.symptom for one in rule(vitals, Thresholds())]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ODD)
def test_nothing_is_raised(rule: Rule, name: str) -> None:
    for steps in (1, 2, 10, 17, 60, 400, 1_000_000):
        for update in UPDATES:
            layers = (Layer("fc1", update=update), Layer("fc2", update=update))
            told(rule, Patient(layers, steps=steps, losses=(ODD[name],), function="mse").vitals)


def constant(level: float) -> Callable[[Floats], Floats]:
    return lambda t: np.full(len(t), level)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "loss", [np.nan, np.inf, constant(-1.0), lambda t: -np.exp(-t)], ids=["nan", "inf", "-1", "<0"]
)
@pytest.mark.parametrize("update", UPDATES)
def test_what_is_no_distance_has_no_course(rule: Rule, loss: Course, update: float) -> None:
    """A loss that is negative or no number: its fall or rise means nothing to these rules."""
    assert told(rule, Patient((Layer("fc1", update=update),), losses=(loss,), function="other").vitals) == []


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 10, 19])
def test_the_first_steps_have_no_course(rule: Rule, steps: int) -> None:
    for update in UPDATES:
        vitals = Patient((Layer("fc1", update=update),), steps=steps, losses=(2.3,)).vitals
        assert told(rule, vitals) == []


@pytest.mark.parametrize("rule", RULES)
def test_without_weights_nothing_bears_witness(rule: Rule) -> None:
    assert told(rule, Patient((), losses=(2.3,), classes=0).vitals) == []
    assert told(rule, Patient(losses=()).vitals) == []
