import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import exploding_gradient
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()


def deep(factor: float, *, depth: int = 10, update: float = 1e-3, last: int | None = None, **story: object) -> Vitals:
    """Each layer towards the input has ``factor`` times the gradient; NaN from step ``last`` on."""
    layers = tuple(
        Layer(f"r{i}", gradient=0.05 * factor ** (depth - 1 - i), update=update, scale=4.2, nonfinite=last)
        for i in range(depth)
    )
    return Patient(layers, **story).vitals  # pyright: ignore


def rising(t: np.ndarray) -> np.ndarray:
    return 2.3 * 1.05**t


@pytest.mark.parametrize(
    "vitals",
    [
        deep(3.0, update=0.8),
        deep(3.0, losses=(rising,)),
        deep(3.0, last=3),
        deep(3.0, losses=(noisy(200.0, 20.0),)),  # far above ln 10
    ],
)
def test_growth_with_depth_fires_at_the_first_site(vitals: Vitals) -> None:
    (finding,) = exploding_gradient(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity, finding.step) == ("exploding-gradient", "r0", "error", 1)
    assert finding.measured == pytest.approx(3.0**9)


def test_a_profile_that_broke_down_at_once_is_read_at_the_first_step() -> None:
    layers = tuple(
        Layer(f"r{i}", gradient=lambda t, i=i: np.where(t == 1, 0.05 * 3.0 ** (9 - i), 1e20), scale=4.2, nonfinite=4)
        for i in range(10)
    )
    (finding,) = exploding_gradient(Patient(layers).vitals, LIMITS)
    assert finding.measured == pytest.approx(3.0**9)


def test_growth_with_time_fires_at_the_worst_weight() -> None:
    layers = (Layer("a"), Layer("b", weight_gradient=lambda t: 0.1 * 1.5**t), Layer("c"))
    (finding,) = exploding_gradient(Patient(layers, steps=40, losses=(rising,)).vitals, LIMITS)
    assert finding.where == "b.linear.weight"
    # from rows 1-3 to 38-40, medians at 2 and 39
    assert finding.measured == pytest.approx(1.5**37)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        deep(3.0),  # large, but the loss falls and the updates are small
        deep(1.21, depth=50, update=0.5),  # what batch normalisation does by itself
        deep(1.0, update=0.5),
        deep(3.0, losses=(falling(1e6, 1e4),), function="mse"),  # a regression with large losses
        deep(3.0, losses=(rising, rising), function="other"),  # two losses
        Patient((Layer("a", gradient=1e6, weight_gradient=1e6),), losses=(falling(1e9, 1e7),), function="mse").vitals,
        Patient((Layer("a"),), losses=(rising,)).vitals,  # a rising loss is not a gradient
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(exploding_gradient(vitals, LIMITS)) == []
