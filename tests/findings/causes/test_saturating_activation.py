import pytest
import torch

from limen.activations import get, names, tails
from limen.findings import diagnose
from limen.findings.causes.saturating_activation import STEEPEST
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, noisy

FLAT = noisy(2.3, 0.02)


def deep(function: str, factor: float, scale: float) -> Vitals:
    layers = tuple(
        Layer(
            f"s{i}",
            function=function,
            scale=scale,
            gradient=0.05 * (g := factor ** (9 - i)),
            weight_gradient=0.1 * g,
            update=1e-3 * g,
        )
        for i in range(10)
    )
    return Patient(layers, losses=(FLAT,)).vitals


def test_ten_sigmoid_layers_are_to_blame_before_their_weights() -> None:
    found = next(one for one in diagnose(deep("sigmoid", 0.14, 0.58)) if one.symptom == "vanishing-gradient")
    assert [cause.name for cause in found.causes][:2] == ["saturating-activation", "bad-initialisation"]
    assert (
        "10 of 10 hidden layers use sigmoid, whose slope is at most 0.25: 10 in a row leave 9.5e-7 at best"
        in found.causes[0].evidence
    )
    assert "factor of 0.14" in found.causes[0].evidence
    assert found.remedies[0] == "swap-activation"


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_the_largest_slopes_are_those_of_the_catalogue(name: str) -> None:
    entry = get(name)
    sides = tails(entry)
    if name == "dynamic_tanh":  # how steep it is is learned, so nothing is said of it
        assert name not in STEEPEST
        return
    if sides.left is not None and sides.right is not None:
        slopes = entry.df(torch.linspace(-10, 10, 200_001, dtype=torch.float64)).abs()
        assert STEEPEST.get(name, 1.0) == pytest.approx(float(slopes.max()), rel=1e-6)


def test_a_tanh_that_leaves_the_gradient_its_size_is_not_said_to_shrink_it() -> None:
    found = next(one for one in diagnose(deep("tanh", 0.14, 0.2)) if one.symptom == "vanishing-gradient")
    evidence = next(cause.evidence for cause in found.causes if cause.name == "saturating-activation")
    assert evidence.startswith("10 of 10 hidden layers use tanh; the gradient shrinks")


def test_relu_with_narrow_weights_is_the_initialisation() -> None:
    found = next(one for one in diagnose(deep("relu", 0.2, 0.28)) if one.symptom == "vanishing-gradient")
    # 0.28 / sqrt(2) = 0.2 of the gradient is left for each layer
    assert [cause.name for cause in found.causes] == ["bad-initialisation", "too-deep-without-normalisation"]
    assert "0.2 times what keeps" in found.causes[0].evidence
