from dataclasses import replace

import pytest

from limen.findings import Thresholds
from limen.findings.rules import collapsed_representation
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, noisy

LIMITS = Thresholds()
EQUAL = Layer("fc1", alike=True)


def seen(layer: Layer, **story: object) -> Vitals:
    return Patient((layer, Layer("fc2")), **story).vitals  # pyright: ignore


def test_units_that_are_all_the_same_are_a_warning_while_the_loss_falls() -> None:
    (finding,) = collapsed_representation(seen(EQUAL), LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("collapsed-representation", "fc1", "warning")
    assert (len(finding.units), finding.step, finding.measured) == (64, 1, 0.0)
    assert "the same spread and range exactly" in finding.message


def test_they_are_an_error_while_it_does_not() -> None:
    (finding,) = collapsed_representation(seen(EQUAL, losses=(noisy(2.3, 0.02),)), LIMITS)
    assert finding.severity == "error"


def test_a_shift_of_each_unit_is_no_difference() -> None:
    shifted = replace(EQUAL, mean=tuple(0.01 * unit for unit in range(64)))
    assert len(list(collapsed_representation(seen(shifted), LIMITS))) == 1


@pytest.mark.parametrize(
    "vitals",
    [
        seen(Layer("fc1")),  # each unit has its own range
        seen(replace(EQUAL, norm="bn")),
        seen(replace(EQUAL, head=True)),
        seen(replace(EQUAL, units=3)),
        seen(replace(EQUAL, std=0.0)),  # the same on every sample: the end of a residual branch at birth
        seen(replace(EQUAL, died=(0,) * 64)),  # told as dead
        seen(EQUAL, steps=10),
        seen(EQUAL, batch=1),
        Vitals(),
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(collapsed_representation(vitals, LIMITS)) == []
