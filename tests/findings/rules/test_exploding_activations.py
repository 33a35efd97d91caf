import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.rules import exploding_activations
from limen.vitals import Vitals
from tests.findings.patients import Course, Layer, Patient, falling, noisy

LIMITS = Thresholds()
WILD = noisy(falling(300.0, 0.5, 20.0), 0.05)


def told(std: float = 40.0, loss: Course = WILD, function: str = "cross-entropy", scale: float = 24.0) -> Vitals:
    return Patient((Layer("fc1"), Layer("fc2", std=std, scale=scale)), losses=(loss,), function=function).vitals


def test_a_signal_too_large_for_the_loss_is_told_where_it_is_largest() -> None:
    (finding,) = exploding_activations(told(), LIMITS)
    assert (finding.symptom, finding.where, finding.severity, finding.step) == (
        "exploding-activations",
        "fc2",
        "warning",
        1,
    )
    assert finding.measured == pytest.approx(40.0, rel=0.1)


def test_one_that_is_still_far_above_a_guess_is_an_error() -> None:
    (finding,) = exploding_activations(told(loss=noisy(300.0, 1.0)), LIMITS)
    assert finding.severity == "error"


def test_its_cause_is_the_scale_of_the_weights() -> None:
    found = {finding.symptom: finding for finding in diagnose(told())}
    assert found["exploding-activations"].causes[0].name == "bad-initialisation"


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        told(std=8.0),  # the loss is a sum over a batch
        told(loss=noisy(falling(2.6, 0.5), 0.05)),  # large, and normalised behind
        told(loss=noisy(falling(9.0, 0.5), 0.05)),  # trained on other classes before
        told(function="mse"),  # no level of a guess
        Patient((Layer("g", std=40.0),), losses=(WILD, WILD)).vitals,  # adversaries
    ],
    ids=["nothing", "sum", "normalised", "fine-tuned", "regression", "adversaries"],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(exploding_activations(vitals, LIMITS)) == []
