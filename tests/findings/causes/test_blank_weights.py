"""Weights that began at zero or all alike, and zeros that are the cause of nothing."""

from dataclasses import replace

import pytest

from limen.findings import Finding, advice, diagnose, is_safe
from tests.findings.patients import Layer, Patient, noisy

FLAT = (noisy(2.303, 0.02),)
BORN = (0,) * 64
BLANK = Layer("fc1", scale=0.0, std=0.0, died=BORN, bias=0.0, update=0.0, weight_gradient=0.0)


def told(*layers: Layer, **story: object) -> dict[str | None, Finding]:
    patient = Patient(layers, **story)  # pyright: ignore
    return {one.symptom: one for one in reversed(diagnose(patient.vitals))}


def test_zeros_are_named_first_with_their_weight() -> None:
    found = told(BLANK, Layer("fc2"), losses=FLAT)["dead-units"]
    assert [cause.name for cause in found.causes] == ["bad-initialisation", "dead-from-start"]
    assert "fc1.linear.weight began at all zeros (standard deviation 0)" in found.causes[0].evidence
    assert found.remedies[0] == "reinitialise"


def test_they_are_named_before_a_bias_that_is_all_that_is_left() -> None:
    found = told(replace(BLANK, bias=0.1, mean=-0.1), losses=FLAT)["dead-units"]
    assert [cause.name for cause in found.causes] == ["bad-initialisation", "dead-from-start"]


def test_they_are_the_cause_of_what_they_silence_further_on() -> None:
    behind = Layer("fc2", std=0.0, mean=-0.05, died=BORN)
    vitals = Patient((BLANK, behind), losses=FLAT).vitals
    found = next(one for one in diagnose(vitals) if one.where == "fc2")
    assert "fc1.linear.weight began at all zeros" in found.causes[0].evidence


def test_a_loss_that_does_not_fall_behind_layers_without_a_signal_is_put_down_to_them() -> None:
    mute = Layer("fc1", "tanh", scale=0.0, std=1e-6, update=0.9)
    found = told(mute, replace(mute, name="fc2"), Layer("fc3"), losses=FLAT)["not-learning"]
    assert found.causes[0].name == "bad-initialisation"
    assert "and those of 1 more" in found.causes[0].evidence
    assert found.remedies[0] == "reinitialise"
    assert "varies over samples by 1.0e-6" in found.message


@pytest.mark.parametrize("layer", [BLANK, replace(BLANK, scale=1.41, std=1.0, alike=True)])
def test_what_began_without_chance_is_drawn_again_and_no_revival_is_promised(layer: Layer) -> None:
    patient = Patient((layer, Layer("fc2")), losses=FLAT)
    found = next(one for one in diagnose(patient.vitals) if one.symptom == "dead-units")
    assert found.causes[0].name == "bad-initialisation"
    assert found.remedies[0] == "reinitialise"
    assert not is_safe("revive-units", found, patient.vitals)
    assert "--treat safe" not in advice("revive-units", found, patient.vitals)


def test_the_steps_of_weights_that_began_at_zero_accuse_nobody() -> None:
    fresh = Layer("fc1", scale=0.0, update=0.9)
    assert told(fresh, Layer("fc2"), losses=FLAT) == {}
    assert "not-learning" in told(replace(fresh, scale=1.41), Layer("fc2"), losses=FLAT)


def test_half_a_layer_that_zeros_let_no_gradient_reach_is_a_warning() -> None:
    half = Layer("fc2", scale=0.0, std=0.5, died=(0,) * 24)
    found = told(Layer("fc1"), half)["dead-units"]
    assert (found.severity, found.causes[0].name) == ("warning", "bad-initialisation")
    assert told(Layer("fc1"), replace(half, scale=1.41)) == {}


def test_zeros_that_let_the_signal_pass_are_the_cause_of_nothing() -> None:
    branch = Layer("branch", scale=0.0, std=1.0)  # x + 0: the rest of the signal
    assert told(branch, Layer("fc2")) == {}
    found = told(branch, Layer("fc2", mean=-10.0, std=0.4, bias=10.0, died=BORN), losses=FLAT)["dead-units"]
    assert found.causes[0].name == "bad-bias"


def test_units_that_began_equal_are_named() -> None:
    found = told(Layer("fc1", alike=True), Layer("fc2"), losses=FLAT)["collapsed-representation"]
    assert [cause.name for cause in found.causes] == ["bad-initialisation"]
    assert "fc1.linear.weight began with equal weights for all 64 units" in found.causes[0].evidence
    assert found.remedies[0] == "reinitialise"


def test_equal_units_that_are_all_dead_as_well() -> None:
    found = told(Layer("fc1", alike=True, mean=-10.0, std=0.4, died=BORN), losses=FLAT)["dead-units"]
    assert found.causes[0].name == "bad-initialisation"
