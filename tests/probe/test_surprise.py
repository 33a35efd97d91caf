"""A loss that stands out is told from one that is only noisy, falls or drifts."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.probe import quick
from limen.probe.surprise import Surprise

NOISE = np.random.default_rng(0).normal(size=5000)
STEPS = np.arange(5000)

QUIET = {
    "noise": 2.0 + 0.3 * NOISE,
    "a loss that falls": np.exp(-STEPS / 500) * (1 + 0.1 * NOISE),
    "a loss that rises slowly": 1 + STEPS / 1000 + 0.1 * NOISE,
    "a constant": np.full(5000, 0.7),
}


Begin = Callable[[], Surprise]


@pytest.fixture(params=["python", "compiled"])
def begin(request: pytest.FixtureRequest) -> Begin:
    if request.param == "compiled" and not quick.COMPILED:
        pytest.skip("without the quick way")
    return Surprise if request.param == "python" else quick.Surprise


@pytest.mark.parametrize("name", QUIET)
def test_an_ordinary_loss_hardly_ever_surprises(begin: Begin, name: str) -> None:
    surprise = begin()
    assert sum(surprise.meets(float(value)) for value in QUIET[name]) <= 10  # of 5,000: one of 2,400 at 4.8 deviations


def test_a_spike_surprises_once(begin: Begin) -> None:
    surprise = begin()
    values = [1.0 + 0.01 * float(noise) for noise in NOISE[:200]]
    values[150] = 5.0
    assert [step for step, value in enumerate(values) if surprise.meets(value)] == [150]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_stops_being_finite_surprises_once(begin: Begin, value: float) -> None:
    surprise = begin()
    assert [surprise.meets(x) for x in (1.0, value, value, 1.0, value)] == [False, True, False, False, True]


def test_what_is_expected_is_what_would_not_surprise(begin: Begin) -> None:
    asked, told = begin(), begin()
    values = [1.0 + 0.01 * float(noise) for noise in NOISE[:300]]
    values[150:152], values[200] = [5.0, 5.0], math.nan
    for value in values:
        expected = asked.expects(value)
        assert expected == (not told.meets(value) and math.isfinite(value))
        (asked.enter if expected else asked.meets)(value)


@pytest.mark.skipif(not quick.COMPILED, reason="without the quick way")
@given(seed=st.integers(0, 2**16), spikes=st.lists(st.sampled_from([5.0, -5.0, 1e300, math.nan, math.inf, 0.0])))
def test_the_compiled_one_is_surprised_by_the_same(seed: int, spikes: list[float]) -> None:
    random = np.random.default_rng(seed)
    mine, theirs = Surprise(), quick.Surprise()
    for value in (*random.normal(size=25).tolist(), *spikes, *random.normal(size=200, scale=2.0).tolist()):
        assert mine.expects(value) == theirs.expects(value)
        assert mine.meets(value) == theirs.meets(value)


@pytest.mark.skipif(not quick.COMPILED, reason="without the quick way")
@pytest.mark.parametrize("ask", ["meets", "expects", "enter"])
def test_the_compiled_one_refuses_what_is_no_number(ask: str) -> None:
    with pytest.raises(TypeError, match="must be real number, not str"):
        getattr(quick.Surprise(), ask)("1.0")
