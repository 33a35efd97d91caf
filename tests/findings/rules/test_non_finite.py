import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import non_finite
from limen.vitals import InputVitals, Vitals
from tests.findings.patients import Layer, Patient, falling

LIMITS = Thresholds()


def breaks(step: int, *, until: int | None = None) -> object:
    def loss(t: np.ndarray) -> np.ndarray:
        return np.where((t >= step) & (t < (until or np.inf)), np.nan, falling(2.3, 0.5)(t))

    return loss


def ill(*layers: Layer, loss: object = falling(2.3, 0.5)) -> Vitals:
    return Patient(layers, losses=(loss,)).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "where", "step"),
    [
        (ill(Layer("a", nonfinite=9), Layer("b", nonfinite=7)), "b", 7),  # the earlier step
        (ill(Layer("a", nonfinite=7), Layer("b", nonfinite=7)), "a", 7),  # the earlier site
        (ill(Layer("a", weight_nonfinite=7), Layer("b", nonfinite=7)), "b", 7),  # forward comes before backward
        (ill(Layer("a", nonfinite=8), Layer("b", weight_nonfinite=7)), "b.linear.weight", 7),
        (ill(Layer("a", weight_nonfinite=7), loss=breaks(7)), "loss", 7),
        (ill(Layer("a", weight_nonfinite=6), loss=breaks(7)), "a.linear.weight", 6),
        (ill(Layer("a"), loss=breaks(1)), "loss", 1),
    ],
)
def test_names_the_first_place(vitals: Vitals, where: str, step: int) -> None:
    (finding,) = non_finite(vitals, LIMITS)
    assert (finding.symptom, finding.severity) == ("non-finite", "error")
    assert (finding.where, finding.step) == (where, step)
    assert f"at step {step} in {where}" in finding.message


def test_what_has_recovered_is_a_remark() -> None:
    (finding,) = non_finite(ill(Layer("a"), loss=breaks(7, until=8)), LIMITS)
    assert finding.severity == "info"


def test_a_broken_input_is_named() -> None:
    inputs = InputVitals(mean=float("nan"), std=1.0, low=0.0, high=1.0, features=4)
    (finding,) = non_finite(Patient((Layer("a", nonfinite=1),), inputs=inputs).vitals, LIMITS)
    assert "input was not finite to begin with" in finding.message


def test_a_masked_softmax_stays_silent() -> None:
    vitals = ill(Layer("attention", nonfinite=1))
    site = dataclasses.replace(vitals.sites[0].site, function="softmax")
    masked = dataclasses.replace(vitals, sites=(dataclasses.replace(vitals.sites[0], site=site),))
    assert list(non_finite(masked, LIMITS)) == []


@pytest.mark.parametrize("vitals", [Vitals(), ill(Layer("a")), ill()])
def test_stays_silent(vitals: Vitals) -> None:
    assert list(non_finite(vitals, LIMITS)) == []
