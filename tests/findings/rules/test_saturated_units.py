from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import saturated_units
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
FLAT = noisy(2.3, 0.02)


def ill(layer: Layer, loss: object = FLAT, **story: object) -> Vitals:
    return Patient((layer, Layer("fc2")), losses=(loss,), **story).vitals  # pyright: ignore


PARTLY = (8.0,) * 48 + (0.0,) * 16  # means of the units: three quarters stuck
STUCK = Layer("tanh1", function="tanh", mean=8.0)  # 5 standard deviations beyond the bound
WIDE = Layer("tanh1", function="tanh", std=16.0)  # both bounds: P(|z| > 2.99) = 85 %
DRIVEN = Layer("tanh1", function="tanh", trained_mean=8.0)


@pytest.mark.parametrize(
    ("vitals", "severity", "unit"),
    [
        (ill(STUCK), "error", "share of units"),
        (ill(STUCK, falling(2.3, 0.5)), "warning", "share of units"),
        (ill(replace(STUCK, update=0.0), falling(2.3, 0.5)), "error", "share of units"),  # no gradient passes
        (ill(replace(STUCK, update=1e-7), falling(2.3, 0.5)), "error", "share of units"),
        (ill(replace(STUCK, update=np.nan), falling(2.3, 0.5)), "warning", "share of units"),  # frozen on purpose
        (ill(replace(STUCK, mean=PARTLY, update=0.0), falling(2.3, 0.5)), "warning", "share of units"),
        (ill(WIDE), "error", "share of samples"),
        (ill(DRIVEN), "error", "share of units"),
        (ill(Layer("tanh1", function="sigmoid", mean=-12.0)), "error", "share of units"),
    ],
)
def test_fires(vitals: Vitals, severity: str, unit: str) -> None:
    (finding,) = saturated_units(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("saturated-units", "tanh1", severity)
    assert finding.unit == unit
    assert finding.measured >= finding.limit
    assert len(finding.units) in (48, 64)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        ill(Layer("tanh1", function="tanh")),
        ill(DRIVEN, falling(2.3, 0.01)),  # confident, not saturated
        Patient((Layer("p", function="sigmoid", mean=12.0, head=True),)).vitals,  # a sure classifier
        Patient((DRIVEN,), losses=(FLAT, FLAT)).vitals,  # two losses: nothing is known of learning
        Patient((Layer("forget", function="sigmoid", mean=3.0),), losses=(FLAT,)).vitals,  # an open gate
        Patient((Layer("relu1", died=(0,) * 64),), losses=(FLAT,)).vitals,  # dead, not saturated
        ill(Layer("tanh1", function="tanh", mean=8.0, units=2)),  # a bottleneck of two
        ill(STUCK, steps=15),  # too few samples
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(saturated_units(vitals, LIMITS)) == []


def test_a_layer_born_at_its_bounds_is_so_since_the_first_step() -> None:
    (finding,) = saturated_units(ill(STUCK), LIMITS)
    assert finding.step == 1
    assert "from the first step on" in finding.message
