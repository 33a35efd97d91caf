"""Each restated rule fires on the other side of its published limit, and not on this side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limen.vitals import EDGES, Histogram, Vitals
from tests.findings.patients import Floats, Layer, Patient, falling
from ward.peers import PEERS, said_by_peers

WELL = Patient(steps=200, losses=(falling(2.4, 0.1, 40),))
STUCK = replace(WELL, losses=(2.4,))


def said(patient: Patient | Vitals, peer: str) -> set[str]:
    return set(said_by_peers(patient.vitals if isinstance(patient, Patient) else patient)[peer])


def layers(**options: object) -> tuple[Layer, ...]:
    return (Layer("fc1", **options), Layer("fc2"))  # pyright: ignore[reportArgumentType]


def rising_and_falling(t: Floats) -> Floats:
    """Down to half within 100 steps and up again, four times."""
    return 2.4 * (0.75 + 0.25 * np.cos(2 * np.pi * (t - 1) / 100))


@pytest.mark.parametrize("peer", PEERS)
def test_a_training_that_goes_well_is_left_alone(peer: str) -> None:
    assert said(WELL, peer) == set()


def test_there_is_nothing_to_say_of_nothing() -> None:
    assert said_by_peers(Vitals()) == dict.fromkeys(PEERS, ())


@pytest.mark.parametrize(
    ("patient", "rules"),
    [
        (STUCK, {"slow convergence"}),
        (replace(STUCK, layers=layers(weight_gradient=0.99e-4)), {"gradient vanish", "slow convergence"}),
        (replace(STUCK, layers=layers(weight_gradient=1.01e-4)), {"slow convergence"}),
        (replace(WELL, layers=layers(weight_gradient=0.99e-4)), set()),
        (replace(STUCK, layers=layers(weight_gradient=7.1)), {"gradient explode", "slow convergence"}),
        (replace(STUCK, layers=layers(weight_gradient=6.9)), {"slow convergence"}),
        (replace(STUCK, layers=(Layer("fc1", died=(0,) * 46),)), {"dying ReLU", "slow convergence"}),
        (replace(STUCK, layers=(Layer("fc1", died=(0,) * 44),)), {"slow convergence"}),
        (replace(WELL, layers=layers(nonfinite=9)), {"gradient explode"}),
        (replace(WELL, steps=400, losses=(rising_and_falling,)), {"oscillating loss"}),
    ],
    ids=range(10),
)
def test_autotrainer(patient: Patient, rules: set[str]) -> None:
    """Ratio 1e-3 with norm 1e-4 (the last weight's gradient is 0.1), ratio 70, share 0.7, gain 0.01, swing 0.03."""
    assert said(patient, "AutoTrainer") == rules


@pytest.mark.parametrize(
    ("patient", "rules"),
    [
        (replace(WELL, layers=layers(weight_gradient=0.9e-7 * 64)), {"vanishing gradient"}),
        (replace(WELL, layers=layers(weight_gradient=1.1e-7 * 64)), set()),
        (replace(WELL, layers=layers(mean=-0.55)), {"dead node"}),
        (replace(WELL, layers=layers(mean=-0.45)), set()),
        (replace(WELL, layers=layers(scale=0.8 * 10**-2.5 * 8)), {"poor weight"}),
        (replace(WELL, layers=layers(scale=1.2 * 10**-2.5 * 8)), set()),
        (replace(WELL, layers=layers(update=0.0)), {"unchanged weight"}),
        (STUCK, {"loss not decreasing"}),
        (replace(WELL, layers=layers(weight_nonfinite=3)), {"exploding tensor"}),
    ],
    ids=range(9),
)
def test_deepdiagnosis(patient: Patient, rules: set[str]) -> None:
    """Mean gradient 1e-7 of 64 x 64 weights, 70 % zeros (z < 0 at a mean of -0.52), variance 1e-5."""
    assert said(patient, "DeepDiagnosis") == rules


@pytest.mark.parametrize(("beyond", "rules"), [(51, {"saturated activation"}), (49, set())])
def test_deepdiagnosis_counts_what_is_far_from_zero(beyond: int, rules: set[str]) -> None:
    values = np.concatenate([np.full(beyond, -7.0), np.full(100 - beyond, 3.9)])
    site = replace(WELL, layers=(Layer("fc1", "tanh"),)).vitals.sites[0]
    total = replace(site.total, histogram=Histogram(np.histogram(values, EDGES)[0]))
    vitals = replace(WELL.vitals, sites=(replace(site, total=total),))
    assert said(vitals, "DeepDiagnosis") == rules


@pytest.mark.parametrize(
    ("patient", "rules"),
    [
        (replace(WELL, layers=layers(died=(0,) * 33)), {"DeadRelu"}),
        (replace(WELL, layers=layers(died=(0,) * 32)), set()),
        (replace(WELL, layers=layers(function="tanh", mean=30.0)), {"SaturatedActivation"}),
        (replace(WELL, layers=layers(function="tanh", mean=8.0)), set()),
        (replace(WELL, layers=layers(weight_gradient=0.9e-7 * 64)), {"VanishingGradient"}),
        (replace(WELL, layers=layers(nonfinite=3)), {"ExplodingTensor"}),
        (replace(STUCK, layers=layers(std=3.5)), {"PoorWeightInitialization", "LossNotDecreasing"}),
        (replace(STUCK, layers=layers(std=3.0)), {"LossNotDecreasing"}),
        (replace(WELL, layers=layers(update=10.1)), {"WeightUpdateRatio"}),
        (replace(WELL, layers=layers(update=1.1e-5)), set()),
        (replace(WELL, layers=layers(update=0.9e-5)), {"UnchangedTensor"}),
        (replace(WELL, layers=layers(weight_gradient=lambda t: np.where(t == 9, 0.0, 1.0))), {"AllZero"}),
    ],
    ids=range(12),
)
def test_sagemaker(patient: Patient, rules: set[str]) -> None:
    """Half of a layer, -9.5 to 9.5, 1e-7, a spread of variances of 10, ratios 1e-8 and 10, tolerance 1e-5."""
    found = said(patient, "SageMaker Debugger")
    assert rules <= found
    assert found - rules <= {"VanishingGradient"} if "AllZero" in rules else found == rules
