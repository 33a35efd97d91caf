"""A loss that stands out is told from one that is only noisy, falls or drifts."""

import math

import numpy as np
import pytest

from limen.probe.surprise import Surprise

NOISE = np.random.default_rng(0).normal(size=5000)
STEPS = np.arange(5000)

QUIET = {
    "noise": 2.0 + 0.3 * NOISE,
    "a loss that falls": np.exp(-STEPS / 500) * (1 + 0.1 * NOISE),
    "a loss that rises slowly": 1 + STEPS / 1000 + 0.1 * NOISE,
    "a constant": np.full(5000, 0.7),
}


@pytest.mark.parametrize("name", QUIET)
def test_an_ordinary_loss_hardly_ever_surprises(name: str) -> None:
    surprise = Surprise()
    assert sum(surprise.meets(float(value)) for value in QUIET[name]) <= 10  # of 5,000: one of 2,400 at 4.8 deviations


def test_a_spike_surprises_once() -> None:
    surprise = Surprise()
    values = [1.0 + 0.01 * float(noise) for noise in NOISE[:200]]
    values[150] = 5.0
    assert [step for step, value in enumerate(values) if surprise.meets(value)] == [150]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_stops_being_finite_surprises_once(value: float) -> None:
    surprise = Surprise()
    assert [surprise.meets(x) for x in (1.0, value, value, 1.0, value)] == [False, True, False, False, True]


def test_what_is_expected_is_what_would_not_surprise() -> None:
    asked, told = Surprise(), Surprise()
    values = [1.0 + 0.01 * float(noise) for noise in NOISE[:300]]
    values[150:152], values[200] = [5.0, 5.0], math.nan
    for value in values:
        expected = asked.expects(value)
        assert expected == (not told.meets(value) and math.isfinite(value))
        (asked.enter if expected else asked.meets)(value)
