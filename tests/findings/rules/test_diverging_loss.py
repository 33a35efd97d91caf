import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.rules import diverging_loss
from limen.vitals import Vitals
from tests.findings.patients import Course, Layer, Patient, falling, noisy

LIMITS = Thresholds()


def thrown(t: np.ndarray) -> np.ndarray:
    """Update ratios of a training that loses its hold at step 200 of 400."""
    return np.where(t == 201, 0.5, 1e-3)


def told(loss: Course, update: Course = thrown, function: str = "cross-entropy") -> Vitals:
    layers = Layer("fc1", update=update), Layer("fc2", update=update)
    return Patient(layers, losses=(loss,), function=function).vitals


LOST = noisy(lambda t: np.where(t <= 200, falling(2.4, 0.3, 40.0)(t), 4.0), 0.02)


def test_a_loss_that_fell_and_was_thrown_up_is_told_with_the_step_that_did_it() -> None:
    (finding,) = diverging_loss(told(LOST), LIMITS)
    assert (finding.symptom, finding.severity, finding.where) == ("diverging-loss", "error", "model")
    assert finding.step == 200
    assert finding.measured == pytest.approx(
        4.0 / (0.3 + 2.1 * np.exp(-174.5 / 40.0)), rel=0.02
    )  # the middle of steps 151 to 200
    assert "moved by 50 % of its norm in step 201" in finding.message


def test_its_cause_is_the_learning_rate() -> None:
    found = {finding.symptom: finding for finding in diagnose(told(LOST))}
    assert found["diverging-loss"].causes[0].name == "learning-rate-too-high"
    assert found["diverging-loss"].remedies[0] == "lower-learning-rate"


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        told(LOST, update=1e-3),  # another task, learned gently
        told(noisy(falling(2.4, 0.3, 40.0), 0.05)),  # one large step, and nothing came of it
        told(noisy(lambda t: np.where(t <= 200, 0.3, 1.2), 0.02)),  # it never fell
        told(noisy(lambda t: np.where(t <= 200, falling(2.4, 0.3, 40.0)(t), 1.5), 0.02)),  # below its start
        told(noisy(lambda t: falling(0.0, -3.0)(t), 0.1), function="other"),  # a likelihood, below zero
        Patient((Layer("g", update=thrown),), losses=(LOST, LOST)).vitals,  # adversaries
        Patient((Layer("fc1", update=thrown),), losses=(LOST,), steps=270).vitals,  # too early to say
    ],
    ids=["nothing", "no-step", "falls", "never-fell", "below-start", "negative", "adversaries", "early"],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(diverging_loss(vitals, LIMITS)) == []


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    assert len(list(diverging_loss(told(lambda t: scale * np.asarray(LOST(t)), function="mse"), LIMITS))) == 1
