"""What stays of full windows, in numpy and compiled, against whole numbers and sums in float64."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.kernels import Account, CompiledAccount, CompiledKept, CompiledTally, Kept, Rules, Sums, Tally
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library

Open = Callable[[Rules], Account | CompiledAccount]
Held = Tally | CompiledTally | Kept | CompiledKept

UNITS = 300  # more than are added up at a time
PANEL = np.array([0, 2, 7, 299])
RELU = Rules(UNITS, 0.0, None, dead_left=True, dead_samples=10, dead_steps=1, saturated=0.95)
TANH = RELU._replace(left=-3.0, right=3.0, dead_left=False)
MOST = 2**31 - 1
ROUNDING = 1e-11  # of sums of some thousand float64 numbers of size 10


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def opened(request: pytest.FixtureRequest, library: Library | None) -> Open:
    if request.param == "numpy":
        return Account
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    kernels = CompiledPass(library)
    return lambda rules: CompiledAccount(rules, kernels)


@dataclass
class Expected:
    """All samples of some steps, or only their counts."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    samples: int

    def holds(self, held: Held | None) -> None:
        assert held is not None
        assert held.samples == self.samples
        assert held.left.tolist() == self.left.tolist()
        assert held.right.tolist() == self.right.tolist()


def counted(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], samples: int) -> Sums:
    """Sums of ones, of which so many count as flat."""
    ones = np.ones(UNITS)
    return Sums(samples, left, right, samples * ones, samples * ones, np.zeros(UNITS), ones, ones, 0)


def test_before_a_window_is_full_nothing_stays(opened: Open) -> None:
    account = opened(TANH)
    account.add(torch.ones(3, UNITS), -1)
    account.commit(1)
    assert account.last is None
    assert account.full is None
    account.roll()
    assert account.last is not None
    assert account.last.samples == 3
    assert account.full is None
    assert account.window.samples == 0


@pytest.mark.parametrize("rules", [RELU, TANH], ids=["one-side", "both-sides"])
@given(seed=st.integers(0, 2**16), sizes=st.lists(st.integers(1, MOST), min_size=1, max_size=9))
@settings(deadline=None, max_examples=40)
def test_counts_are_exact_however_many_bytes_they_need(opened: Open, rules: Rules, seed: int, sizes: list[int]) -> None:
    random, account = np.random.default_rng(seed), opened(rules)
    nothing = np.zeros(UNITS, np.int64)
    full = Expected(nothing, nothing, 0)
    for number, size in enumerate(sizes, start=1):
        alike = random.random() < 0.3  # all units: no bytes are needed
        left = np.full(UNITS, random.integers(0, size + 1)) if alike else random.integers(0, size + 1, UNITS)
        right = nothing if rules.right is None else random.integers(0, size - left + 1)
        account.add_sums(counted(left.astype(np.int64), right.astype(np.int64), size))
        account.commit(number)
        account.roll()
        Expected(left, right, size).holds(account.last)
        full = Expected(full.left + left, full.right + right, full.samples + size)
        if number > 1:
            full.holds(account.full)
        Expected(nothing, nothing, 0).holds(account.window)


def test_counts_go_beyond_32_bits(opened: Open) -> None:
    account = opened(RELU)
    left, nothing = np.arange(UNITS) * (MOST // UNITS), np.zeros(UNITS, np.int64)
    for number in range(1, 12):
        account.add_sums(counted(left, nothing, MOST))
        account.commit(number)
        account.roll()
    assert 11 * int(left.max()) > 2**32
    Expected(11 * left, nothing, 11 * MOST).holds(account.full)
    Expected(left, nothing, MOST).holds(account.last)


@pytest.mark.parametrize("panel", [None, PANEL], ids=["all", "panel"])
@given(seed=st.integers(0, 2**16), windows=st.lists(st.integers(1, 3), min_size=1, max_size=6))
@settings(deadline=None, max_examples=20)
def test_moments_extremes_and_the_whole_are_those_of_all_samples(
    opened: Open, panel: npt.NDArray[np.int64] | None, seed: int, windows: list[int]
) -> None:
    random, account = np.random.default_rng(seed), opened(TANH._replace(panel=panel))
    places = np.arange(UNITS) if panel is None else panel
    seen: list[list[npt.NDArray[np.float64]]] = []
    for steps in windows:
        seen.append([])
        for _ in range(steps):
            z = random.normal(random.normal(size=UNITS), 2.0, (int(random.integers(1, 9)), UNITS))
            account.add(torch.from_numpy(z), -1)
            account.commit(1)
            seen[-1].append(z)
            matches(account.window, np.concatenate(seen[-1]), places)
        account.roll()
        matches(account.last, np.concatenate(seen[-1]), places)
    if len(windows) > 1:
        matches(account.full, np.concatenate([z for window in seen for z in window]), places)


def matches(held: Held | None, z: npt.NDArray[np.float64], places: npt.NDArray[np.int64]) -> None:
    """Whether these are the sums over ``[samples, units]``."""
    assert held is not None
    assert held.samples == len(z)
    assert held.left.tolist() == (z <= -3.0).sum(0).tolist()
    assert held.right.tolist() == (z >= 3.0).sum(0).tolist()
    assert held.low.tolist() == z.min(0)[places].tolist()
    assert held.high.tolist() == z.max(0)[places].tolist()
    np.testing.assert_allclose(held.mean, z.mean(0)[places], ROUNDING, ROUNDING)
    np.testing.assert_allclose(held.m2, len(z) * z.var(0)[places], ROUNDING, ROUNDING)
    whole = held.whole
    assert (whole.low, whole.high) == (z.min(), z.max())
    np.testing.assert_allclose([whole.mean, whole.m2], [z.mean(), z.size * z.var()], ROUNDING, ROUNDING)


def test_a_unit_without_a_mean_has_none_from_then_on(opened: Open) -> None:
    account, broken = opened(RELU), torch.ones(4, UNITS)
    broken[1, 2] = math.inf
    for number, z in enumerate((torch.ones(4, UNITS), broken, torch.ones(4, UNITS)), start=1):
        account.add(z, -1)
        account.commit(number)
        account.roll()
    last, full = account.last, account.full
    assert last is not None
    assert full is not None
    assert not np.isnan(last.mean).any()
    assert np.flatnonzero(np.isnan(full.mean)).tolist() == [2]
    assert np.flatnonzero(np.isnan(full.m2)).tolist() == [2]
    assert (last.nonfinite, full.nonfinite) == (0, 1)
    assert math.isnan(full.whole.mean)
    assert last.whole.mean == 1.0
