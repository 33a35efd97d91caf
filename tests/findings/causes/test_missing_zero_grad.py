"""Gradients that nobody clears: by the steps at which that was seen."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.causes import missing_zero_grad
from limen.findings.causes.missing_zero_grad import EXPLAINS, FEWEST
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, noisy

LIMITS = Thresholds()


def seen(uncleared: int, *, looked: int = 20, steps: int = 20, patient: Patient | None = None) -> Vitals:
    vitals = (patient or Patient(steps=steps)).vitals
    return replace(vitals, looked=looked, optimisers=(replace(vitals.optimisers[0], uncleared=uncleared),))


@pytest.mark.parametrize(
    "vitals",
    [
        seen(19),
        seen(18),
        seen(FEWEST, looked=FEWEST + 1, steps=FEWEST + 1),
        seen(360, looked=401, steps=10_000),
        seen(19, patient=Patient((), steps=20, classes=0, losses=())),
    ],
    ids=["at each", "but one", "as few as count", "of a long training", "of which nothing else is known"],
)
def test_fires(vitals: Vitals) -> None:
    (finding,) = missing_zero_grad(vitals, LIMITS)
    assert (finding.name, finding.symptom, finding.severity, finding.where) == (
        "missing-zero-grad", None, "warning", "model",
    )  # fmt: skip
    assert diagnose(vitals)[0].remedies == ("fix-training-loop",)


@pytest.mark.parametrize(
    "vitals",
    [
        seen(0),
        seen(17),
        seen(FEWEST - 1, looked=FEWEST, steps=FEWEST),
        seen(300, looked=401, steps=400),
        seen(10, looked=0, steps=0),
        Vitals(),
    ],
    ids=["cleared", "one too few", "too few steps", "cleared at every fourth", "nothing looked at", "nothing"],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(missing_zero_grad(vitals, LIMITS)) == []


def test_of_several_optimisers_it_says_which() -> None:
    vitals = seen(19)
    healthy = replace(vitals.optimisers[0], uncleared=0)
    (finding,) = missing_zero_grad(replace(vitals, optimisers=(healthy, *vitals.optimisers)), LIMITS)
    assert finding.where == "optimiser 2"


def test_the_growth_of_the_gradients_is_told() -> None:
    growing = Patient((Layer("fc1", weight_gradient=lambda t: t), Layer("fc2", weight_gradient=lambda t: t)), steps=20)
    (finding,) = missing_zero_grad(seen(19, patient=growing), LIMITS)
    assert "19 of the 19 steps" in finding.causes[0].evidence
    assert "grown 18 times since" in finding.causes[0].evidence  # median of 16 to 20, over 1


@pytest.mark.parametrize("gradient", [0.0, np.nan, np.inf])
def test_of_gradients_that_have_no_size_none_is_told(gradient: float) -> None:
    patient = Patient((Layer("fc1", weight_gradient=gradient),), steps=20, classes=0)
    (finding,) = missing_zero_grad(seen(19, patient=patient), LIMITS)
    assert "grown" not in finding.causes[0].evidence


def test_what_follows_from_it_has_it_as_its_cause() -> None:
    stuck = Patient(tuple(Layer(f"fc{i}", update=0.5) for i in range(2)), losses=(noisy(2.3, 0.02),))
    found = diagnose(seen(399, looked=400, patient=stuck))
    harmed = [one for one in found if one.symptom in EXPLAINS]
    assert harmed
    assert all(one.causes[0].name == "missing-zero-grad" for one in harmed)
