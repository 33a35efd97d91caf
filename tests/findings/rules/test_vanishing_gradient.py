import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import vanishing_gradient
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
FLAT = noisy(2.3, 0.02)
FALLS = falling(2.3, 0.2)


def deep(factor: float, *, depth: int = 10, starves: bool = True, floor: float = 0.0, **story: object) -> Vitals:
    """Each layer towards the input has ``factor`` times the gradient; so has its weight where it ``starves``."""
    layers = tuple(
        Layer(
            f"s{i}",
            function="sigmoid",
            gradient=0.05 * (g := factor ** (depth - 1 - i)),
            weight_gradient=0.1 * (g if starves else 1.0),
            update=max(1e-3 * (g if starves else 1.0), floor),
        )
        for i in range(depth)
    )
    return Patient(layers, **story).vitals  # pyright: ignore


ADAM = {"optimiser": "Adam"}


@pytest.mark.parametrize(
    ("vitals", "severity"),
    [
        (deep(0.14, losses=(FLAT,)), "error"),  # a sigmoid net with torch's own initialisation
        (deep(0.14), "warning"),  # the last layers learn without the first
        (deep(0.14, steps=60), "warning"),  # too early to know of the loss, but hopeless
        (deep(0.01, depth=4, losses=(FLAT,)), "error"),
        (deep(0.14, losses=(FLAT,), **ADAM), "error"),  # updates starve below Adam's epsilon
        (deep(0.14, floor=1e-3, losses=(FLAT,), **ADAM), "warning"),  # they do not, and nothing is learned
    ],
)
def test_fires_at_the_first_site(vitals: Vitals, severity: str) -> None:
    (finding,) = vanishing_gradient(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("vanishing-gradient", "s0", severity)
    assert finding.step == 1


@pytest.mark.parametrize(("factor", "told"), [(0.12, 1), (0.14, 0)])  # 0.12^9 = 5e-9, 0.14^9 = 2e-8
def test_with_adam_a_gradient_that_is_lost_needs_no_patience(factor: float, told: int) -> None:
    seen = deep(factor, floor=1e-3, losses=(FLAT,), steps=21, **ADAM)
    assert len(list(vanishing_gradient(seen, LIMITS))) == told


def test_a_latest_row_above_the_limit_is_no_trouble() -> None:
    """Three quarters of the latest rows are below: the last one need not be."""
    late = lambda t: np.where(t == t[-1], 0.05, 0.05 * 0.14**9)  # noqa: E731
    seen = deep(0.14, losses=(FLAT,))
    first = seen.sites[0]
    history = dataclasses.replace(first.history, gradient=late(first.history.step.astype(float)))
    sites = (dataclasses.replace(first, history=history), *seen.sites[1:])
    (finding,) = vanishing_gradient(dataclasses.replace(seen, sites=sites), LIMITS)
    assert finding.step == seen.step


def test_the_ratio_is_that_of_first_to_last_site() -> None:
    (finding,) = vanishing_gradient(deep(0.14, losses=(FLAT,)), LIMITS)
    assert finding.measured == pytest.approx(0.14**9)
    assert "factor of 0.14 for each of 9 layers" in finding.message


def converged(t: np.ndarray) -> np.ndarray:
    return 1e-9 * np.ones_like(t)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        deep(1.0),
        deep(0.5, losses=(FALLS,), floor=1e-3, **ADAM),  # ten layers, ratio 2e-3, trained by Adam
        deep(0.14, floor=1e-3, losses=(FALLS,), **ADAM),  # even 2e-8, as long as it learns
        deep(0.41, starves=False, losses=(FLAT,)),  # ReLU, torch's own: early weights see larger inputs
        deep(0.5, losses=(FALLS,)),  # starved a little
        deep(0.14, depth=3, losses=(FLAT,)),  # three layers
        deep(0.14, steps=15),  # the first steps
        deep(0.14, losses=(FALLS, FALLS), depth=5),  # two losses, not badly starved
        Patient(tuple(Layer(f"r{i}", gradient=converged, weight_gradient=converged) for i in range(6))).vitals,
        Patient(tuple(Layer(f"f{i}", gradient=np.nan, weight_gradient=np.nan) for i in range(6))).vitals,  # frozen
        Patient((Layer("a", gradient=1e-9), *(Layer(f"b{i}") for i in range(5)))).vitals,  # weight not starved
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(vanishing_gradient(vitals, LIMITS)) == []


def test_one_bad_batch_among_many_is_no_vanishing() -> None:
    layers = tuple(
        Layer(
            f"s{i}", gradient=lambda t, i=i: np.where(t % 2 == 0, 0.1 ** (9 - i), 1.0), weight_gradient=0.1 ** (9 - i)
        )
        for i in range(10)
    )
    assert list(vanishing_gradient(Patient(layers, losses=(FLAT,)).vitals, LIMITS)) == []
