"""Targets of a size that a fresh network does not reach; and large ones that are no trouble."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Severity, Thresholds, diagnose
from limen.findings.causes import unscaled_targets
from limen.vitals import InputVitals, Scale, Vitals
from tests.findings.patients import Course, Layer, Patient, falling, noisy

LIMITS = Thresholds()
SMALL = Scale(0.0, 0.3, -1.0, 1.0)
FLAT = noisy(1e8, 1e6)


def regression(
    size: float,
    *,
    mean: float = 0.0,
    function: str = "mse",
    head: str = "linear",
    outputs: Scale | None = SMALL,
    loss: Course = FLAT,
    steps: int = 20,
    std: float = 1.0,
) -> Vitals:
    vitals = Patient(
        (Layer("fc1", std=std), Layer("fc2", std=std)), losses=(loss,), function=function, steps=steps, classes=1
    ).vitals
    targets = Scale(mean, size, mean - 3 * size, mean + 3 * size)
    losses = tuple(replace(one, head=head, outputs=outputs, targets=targets) for one in vitals.losses)
    return replace(vitals, losses=losses)


@pytest.mark.parametrize(
    ("vitals", "severity"),
    [
        (regression(101.0), "info"),
        (regression(999.0), "info"),
        (regression(1001.0), "warning"),
        (regression(1.0, mean=2000.0), "warning"),  # years
        (regression(1e4, function="l1", outputs=None), "warning"),
        (regression(1e4, function="huber", head="", steps=3), "warning"),
        (regression(1e4, loss=falling(1e8, 6e7)), "warning"),
    ],
    ids=["remark", "below", "above", "years", "l1", "huber", "falls slowly"],
)
def test_fires(vitals: Vitals, severity: Severity) -> None:
    (found,) = unscaled_targets(vitals, LIMITS)
    assert (found.symptom, found.name, found.where, found.severity) == (None, "unscaled-targets", "loss", severity)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        Patient().vitals,
        regression(99.0),
        regression(1e4, function="cross-entropy"),
        regression(1e4, head="sigmoid"),  # what it cannot reach is said elsewhere
        regression(1e4, head="", outputs=None),
        regression(1e4, outputs=Scale(0.0, 1001.0, -3e3, 3e3)),  # an output with a scale of its own
        regression(1.0, mean=5e3, outputs=Scale(5e3, 1.0, 4.9e3, 5.1e3)),  # a bias set to the mean
        regression(1e4, loss=falling(1e8, 1e6, 5.0)),  # learns them quickly
        regression(300.0, outputs=None, std=8.0),  # the difference may as well be the outputs
        replace(regression(1e4, mean=5e3), inputs=InputVitals(5.1e3, 1e4, -2e4, 3e4, 64)),  # an autoencoder's
        regression(float("nan")),
        regression(float("inf")),
    ],
    ids=[
        "nothing",
        "unknown",
        "thirty",
        "classes",
        "bounded",
        "unknown head",
        "scaled",
        "bias",
        "quick",
        "large outputs",
        "inputs",
        "nan",
        "inf",
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(unscaled_targets(vitals, LIMITS)) == []


def test_a_loss_that_does_not_fall_is_put_down_to_them() -> None:
    vitals = regression(1e4, steps=400)
    still = Patient((Layer("fc1", update=1e-9), Layer("fc2", update=1e-9)), steps=400, classes=1).vitals
    found = {one.name: one for one in diagnose(replace(vitals, parameters=still.parameters))}
    assert found["unscaled-targets"].remedies == ("scale-targets",)
    assert {one.name for one in found["not-learning"].causes} == {"unscaled-targets", "learning-rate-too-low"}


def test_a_loss_of_no_rows_is_borne() -> None:
    vitals = regression(1e4)
    empty = replace(vitals.losses[0], step=np.array([], dtype=np.int64), value=np.array([]))
    (found,) = unscaled_targets(replace(vitals, losses=(empty,)), LIMITS)
    assert found.step == 1
