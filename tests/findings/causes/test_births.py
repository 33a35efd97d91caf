"""Causes that are there before the first step: bias, initialisation, inputs, dead from start."""

import pytest

from limen.findings import Finding, diagnose
from limen.vitals import InputVitals, Vitals
from tests.findings.patients import Layer, Patient, noisy

FLAT = noisy(2.3, 0.02)
BORN = (0,) * 64
PIXELS = InputVitals(mean=33.0, std=78.0, low=0.0, high=255.0, features=784)


def finding(symptom: str, vitals: Vitals) -> Finding:
    return next(one for one in diagnose(vitals) if one.symptom == symptom)


def names(found: Finding) -> list[str]:
    return [cause.name for cause in found.causes]


def test_a_bias_of_minus_ten_is_named_before_its_consequence() -> None:
    layers = (Layer("fc1"), Layer("fc2", mean=-10.0, std=0.4, bias=10.0, died=BORN))
    found = finding("dead-units", Patient(layers, losses=(FLAT,)).vitals)
    assert names(found) == ["bad-bias", "dead-from-start"]
    assert "about -10" in found.causes[0].evidence
    assert "fc2.linear.bias began at 10" in found.causes[0].evidence
    assert found.remedies[:2] == ("reinitialise", "revive-units")


def test_means_far_below_zero_without_a_bias_are_not_the_bias() -> None:
    layers = (Layer("fc1", mean=-10.0, std=0.4, bias=0.05, died=BORN),)
    found = finding("dead-units", Patient(layers, losses=(FLAT,)).vitals)
    assert names(found) == ["dead-from-start"]


def test_units_that_died_in_training_were_not_dead_from_start() -> None:
    layers = (Layer("fc1", died=(9,) * 60 + (0,) * 4),)
    found = finding("dead-units", Patient(layers, losses=(FLAT,)).vitals)
    assert "dead-from-start" not in names(found)


def test_a_signal_that_fades_with_depth_is_the_initialisation() -> None:
    layers = (Layer("fc1", std=0.5, scale=0.58), Layer("fc9", mean=-0.07, std=1e-5, scale=0.58, died=(0,) * 40))
    found = finding("dead-units", Patient(layers, losses=(FLAT,)).vitals)
    assert names(found) == ["bad-initialisation", "dead-from-start"]
    assert "0.41 times the scale" in found.causes[0].evidence  # 0.58 / sqrt(2)


@pytest.mark.parametrize("std", [8.0, 16.0, 32.0])
def test_normal_weights_of_size_one_on_tanh_are_the_initialisation(std: float) -> None:
    layers = (Layer("t1", function="tanh", std=std, scale=std, fan_in=int(std**2)), Layer("t2", function="tanh"))
    found = finding("saturated-units", Patient(layers, losses=(FLAT,)).vitals)
    assert names(found)[0] == "bad-initialisation"
    assert "standard deviation of 1," in found.causes[0].evidence
    assert found.remedies[0] == "reinitialise"


def test_pixels_on_tanh_are_the_inputs() -> None:
    layers = (Layer("t1", function="tanh", mean=20.0, std=5.0, scale=0.58), Layer("t2", function="tanh"))
    found = finding("saturated-units", Patient(layers, inputs=PIXELS).vitals)
    assert names(found)[0] == "unscaled-inputs"
    assert "from 0 to 255" in found.causes[0].evidence
    assert found.remedies[0] == "scale-inputs"


def test_shifted_inputs_that_kill_units_are_named() -> None:
    shifted = InputVitals(mean=-40.0, std=1.0, low=-44.0, high=-36.0, features=8)
    layers = (Layer("fc1", mean=-20.0, died=BORN, scale=1.41),)
    found = finding("dead-units", Patient(layers, losses=(FLAT,), inputs=shifted).vitals)
    assert names(found)[0] == "unscaled-inputs"
    assert "40.0 standard deviations from zero" in found.causes[0].evidence


def test_standardised_inputs_are_never_blamed() -> None:
    layers = (Layer("t1", function="tanh", mean=20.0), Layer("t2", function="tanh"))
    assert "unscaled-inputs" not in names(finding("saturated-units", Patient(layers).vitals))


def test_harm_far_from_the_input_is_less_its_fault() -> None:
    near = Patient((Layer("t1", function="tanh", mean=20.0), Layer("t2", function="tanh")), inputs=PIXELS).vitals
    far = Patient((Layer("t1", function="tanh"), Layer("t2", function="tanh", mean=20.0)), inputs=PIXELS).vitals
    blame = [
        next(cause.confidence for cause in finding("saturated-units", vitals).causes if cause.name == "unscaled-inputs")
        for vitals in (near, far)
    ]
    assert blame[1] < blame[0]
