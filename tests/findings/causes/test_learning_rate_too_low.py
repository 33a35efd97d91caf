from limen.findings import Thresholds, diagnose
from limen.findings.causes import learning_rate_too_low
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, noisy

LIMITS = Thresholds()


def stuck(gradient: float) -> Vitals:
    layers = tuple(Layer(name, update=1e-9, weight_gradient=gradient) for name in ("fc1", "fc2"))
    return Patient(layers, losses=(noisy(2.3, 0.02),), learning_rate=1e-7).vitals


def test_small_steps_on_a_clear_gradient_are_its_fault() -> None:
    (finding,) = diagnose(stuck(0.5))
    assert [cause.name for cause in finding.causes] == ["learning-rate-too-low"]
    assert finding.remedies[0] == "raise-learning-rate"
    assert "1.0e-09 of its norm" in finding.causes[0].evidence


def test_small_steps_without_a_gradient_are_not() -> None:
    vitals = stuck(1e-9)
    (finding,) = diagnose(vitals)
    assert learning_rate_too_low(vitals, finding, LIMITS) is None
