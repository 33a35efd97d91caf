"""When a unit may be called dead or saturated: both sides of each limit."""

from dataclasses import replace

import numpy as np
import pytest

from limen.sites import Site
from limen.vitals import (
    EVIDENCE,
    Activity,
    Evidence,
    Histogram,
    Moments,
    SiteHistory,
    SiteVitals,
    dead_units,
    saturated_units,
)

RELU = Site("1", "1", "relu", 1, 3, -1, "0", None, 0, False, flat_left=0.0, dead_left=True)
TANH = replace(RELU, function="tanh", flat_left=-2.99, flat_right=2.99, dead_left=False)
RELU6 = replace(RELU, function="relu6", flat_right=6.0)


def vitals(
    site: Site,
    *,
    silent_samples: tuple[int, ...] = (0, 0, 0),
    silent_steps: tuple[int, ...] = (0, 0, 0),
    left: tuple[int, ...] = (0, 0, 0),
    right: tuple[int, ...] = (0, 0, 0),
    samples: int = 1000,
    steps: int = 20,
) -> SiteVitals:
    units = len(left)
    zeros = np.zeros(units)
    recent = Activity(
        steps, 1, steps, np.array(left), np.array(right), Moments(samples, zeros, zeros), zeros, zeros, 0,
        Histogram.none(),
    )  # fmt: skip
    none = np.zeros(0)
    whole = none.astype(np.int64)
    history = SiteHistory(whole, whole, none, whole, whole, none, none, none, none, none, whole)
    return SiteVitals(
        site, recent, recent, recent, np.zeros(units, np.int64),
        np.array(silent_steps), np.array(silent_samples), history, None,
    )  # fmt: skip


def test_a_unit_is_dead_after_a_thousand_samples_and_twenty_steps() -> None:
    seen = vitals(RELU, silent_samples=(1000, 999, 5000), silent_steps=(20, 20, 19))
    assert dead_units(seen).tolist() == [0]


def test_the_limits_of_death_can_be_set() -> None:
    seen = vitals(RELU, silent_samples=(10, 9, 10), silent_steps=(2, 2, 1))
    assert dead_units(seen, Evidence(samples=10, steps=2)).tolist() == [0]


def test_a_unit_whose_flat_side_is_not_zero_is_never_dead() -> None:
    seen = vitals(TANH, silent_samples=(9999,) * 3, silent_steps=(99,) * 3)
    assert dead_units(seen).tolist() == []


def test_a_unit_is_saturated_from_95_percent_of_the_samples() -> None:
    assert saturated_units(vitals(TANH, left=(950, 949, 0))).tolist() == [0]
    assert saturated_units(vitals(TANH, right=(0, 949, 950))).tolist() == [2]


def test_both_flat_sides_count_together() -> None:
    assert saturated_units(vitals(TANH, left=(475, 475, 950), right=(475, 474, 50))).tolist() == [0, 2]


@pytest.mark.parametrize(("samples", "steps"), [(999, 20), (1000, 19)])
def test_too_little_was_seen_to_call_a_unit_saturated(samples: int, steps: int) -> None:
    assert saturated_units(vitals(TANH, left=(samples,) * 3, samples=samples, steps=steps)).tolist() == []


def test_silence_is_not_saturation() -> None:
    seen = vitals(RELU6, left=(1000, 1000, 20), right=(0, 950, 950))
    assert saturated_units(seen).tolist() == [1, 2]


def test_the_defaults_are_those_of_the_definition() -> None:
    assert (EVIDENCE.samples, EVIDENCE.steps, EVIDENCE.saturated) == (1_000, 20, 0.95)
