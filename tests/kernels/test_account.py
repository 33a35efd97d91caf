"""The account of a site, in numpy and compiled, against a replay of all its numbers in float64."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InvalidValue
from limen.kernels import Account, CompiledAccount, Row, Rules, Sums
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library

Table = npt.NDArray[np.float32]
Open = Callable[[Rules], Account | CompiledAccount]

UNITS = 21  # a vector and a bit
RELU = Rules(UNITS, 0.0, None, dead_left=True, dead_samples=100, dead_steps=4, saturated=0.95)
RELU6 = RELU._replace(right=6.0)
TANH = RELU._replace(left=-3.0, right=3.0, dead_left=False)


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def opened(request: pytest.FixtureRequest, library: Library | None) -> Open:
    if request.param == "numpy":
        return Account
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    kernels = CompiledPass(library)
    return lambda rules: CompiledAccount(rules, kernels)


def training(seed: int, steps: int, samples: int) -> list[list[Table]]:
    """Units that come and go at random, in several calls a step, some of them empty."""
    random = np.random.default_rng(seed)
    offset = np.zeros(UNITS)
    made: list[list[Table]] = []
    for _ in range(steps):
        offset = np.where(random.random(UNITS) < 0.2, random.choice([-8.0, 0.0, 8.0], UNITS), offset)
        sizes = random.integers(0, samples + 1, random.integers(1, 4))
        made.append([(random.normal(size=(size, UNITS)) + offset).astype(np.float32) for size in sizes])
    return made


class Replay:
    """The same account from all numbers so far."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.steps: list[tuple[int, npt.NDArray[np.float64]]] = []

    def flat(self, table: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        left = table <= (-math.inf if self.rules.left is None else self.rules.left)
        right = table >= (math.inf if self.rules.right is None else self.rules.right)
        return left, right

    def silence(self, unit: int) -> tuple[int, int, int]:
        last = steps = samples = 0
        for number, table in self.steps:
            if self.flat(table)[0][:, unit].all():
                steps, samples = steps + 1, samples + len(table)
            else:
                last, steps, samples = number, 0, 0
        return last, steps, samples

    def row(self) -> Row:
        rules, table = self.rules, self.steps[-1][1]
        left, right = self.flat(table)
        bounded = right if rules.dead_left else left | right
        _, steps, samples = zip(*(self.silence(unit) for unit in range(rules.units)), strict=True)
        dead = [a >= rules.dead_steps and b >= rules.dead_samples for a, b in zip(steps, samples, strict=True)]
        return Row(
            len(table),
            (left.sum() + right.sum()) / table.size,
            sum(dead) if rules.dead_left else 0,
            int((bounded.sum(0) >= rules.saturated * len(table)).sum()),
            table.mean(),
            table.std(),
            table.min(),
            table.max(),
            float(np.linalg.norm(table)),  # what the test enters as gradients are the numbers themselves
            0,
        )


@pytest.mark.parametrize("rules", [RELU, RELU6, TANH], ids=["relu", "relu6", "tanh"])
@given(seed=st.integers(0, 2**16), steps=st.integers(1, 30), samples=st.integers(1, 60))
@settings(deadline=None, max_examples=30)
def test_the_account_is_that_of_a_replay(opened: Open, rules: Rules, seed: int, steps: int, samples: int) -> None:
    account, replay = opened(rules), Replay(rules)
    for number, calls in enumerate(training(seed, steps, samples), start=1):
        for call in calls:
            account.add(torch.from_numpy(call), -1)
            account.add_gradient(float(np.linalg.norm(call.astype(np.float64))))
        row = account.commit(3 * number)
        table = np.concatenate(calls).astype(np.float64)
        if len(table) == 0:
            assert row is None
            continue
        replay.steps.append((3 * number, table))
        assert row == pytest.approx(replay.row(), rel=1e-5, abs=1e-5)  # float32 sums where torch made them
        assert all(type(value) is int for value in (row.samples, row.dead, row.saturated, row.nonfinite))
    for unit in range(UNITS):
        found = account.last_active[unit], account.silent_steps[unit], account.silent_samples[unit]
        assert found == replay.silence(unit)
    window = account.window
    assert window.samples == sum(len(table) for _, table in replay.steps)
    if replay.steps:
        whole = np.concatenate([table for _, table in replay.steps])
        left, right = replay.flat(whole)
        assert window.left.tolist() == left.sum(0).tolist()
        assert window.right.tolist() == right.sum(0).tolist()
        assert window.low.tolist() == whole.min(0).tolist()
        assert window.high.tolist() == whole.max(0).tolist()
        np.testing.assert_allclose(window.mean, whole.mean(0), atol=1e-5)
        np.testing.assert_allclose(window.m2 / len(whole), whole.var(0), atol=1e-4)


def test_a_window_begins_anew_and_silence_does_not(opened: Open) -> None:
    account = opened(RELU)
    quiet = -torch.ones(10, UNITS)
    for number in (1, 2):
        account.add(quiet, -1)
        account.commit(number)
    account.window.clear()
    account.add(quiet[:4], -1)
    account.commit(3)
    window = account.window
    assert (window.samples, window.left.tolist(), window.high.tolist()) == (4, [4] * UNITS, [-1.0] * UNITS)
    assert (account.silent_steps.tolist(), account.silent_samples.tolist()) == ([3] * UNITS, [24] * UNITS)


def test_a_value_that_is_not_finite_leaves_its_unit_without_a_mean_whatever_the_order(opened: Open) -> None:
    fine = torch.ones(4, UNITS)
    broken = fine.clone()
    broken[0, 1], broken[2, 3] = math.inf, math.nan
    for calls in ((broken,), (fine, broken), (broken, fine), (broken, broken)):
        account = opened(RELU)
        for call in calls:
            account.add(call, -1)
        row = account.commit(1)
        assert row is not None
        assert row.nonfinite == 2 * sum(call is broken for call in calls)
        assert math.isnan(row.mean)
        assert math.isnan(row.std)
        account.add(fine, -1)
        account.commit(2)
        spoiled = [unit in (1, 3) for unit in range(UNITS)]
        assert np.isnan(account.window.mean).tolist() == spoiled
        assert np.isnan(account.window.m2).tolist() == spoiled
        assert account.window.nonfinite == row.nonfinite


class Labelled(torch.Tensor):
    """Cannot be read by the library."""


def test_what_only_torch_can_read_enters_the_same_account(opened: Open) -> None:
    z = torch.randn(50, UNITS, generator=torch.Generator().manual_seed(0))
    plain, mixed = opened(TANH), opened(TANH)
    for account, second in ((plain, z[20:]), (mixed, z[20:].as_subclass(Labelled))):
        account.add(z[:20], -1)
        account.add(second, -1)
        account.add_gradient(2.5)
    assert mixed.commit(1) == pytest.approx(plain.commit(1), rel=1e-5)
    assert mixed.window.left.tolist() == plain.window.left.tolist()


def test_an_account_of_another_number_of_units_takes_nothing(opened: Open) -> None:
    account = opened(RELU)
    with pytest.raises(
        ValueError, match=rf"with {UNITS + 1} units on axis -1 cannot be added to the account of a site of {UNITS}:"
    ):
        account.add(torch.ones(3, UNITS + 1), -1)
    assert account.commit(1) is None


def test_of_a_panel_moments_are_kept_and_rows_are_of_all_units(opened: Open) -> None:
    panel = np.array([0, 3, 4, 20])
    small, whole = opened(RELU6._replace(panel=panel)), opened(RELU6)
    for number, calls in enumerate(training(5, 12, 40), start=1):
        for call in calls:
            small.add(torch.from_numpy(call), -1)
            whole.add(torch.from_numpy(call), -1)
            small.add_gradient(len(call))
            whole.add_gradient(len(call))
        assert small.commit(number) == whole.commit(number)
    assert small.window.left.tolist() == whole.window.left.tolist()
    assert small.window.right.tolist() == whole.window.right.tolist()
    for name in ("mean", "m2", "low", "high"):
        assert getattr(small.window, name).tolist() == getattr(whole.window, name)[panel].tolist()


def test_more_samples_than_32_bits_count_are_refused(opened: Open) -> None:
    account = opened(RELU)
    account.add(torch.ones(4, UNITS), -1)
    nothing, ones = np.zeros(UNITS), np.ones(UNITS)
    whole = nothing.astype(np.int64)
    many = Sums(2**31 - 4, whole, whole, nothing, nothing, nothing, -ones, ones, 0)
    with pytest.raises(InvalidValue, match=r"more than 2,147,483,647 samples of each unit in one step"):
        account.add_sums(many)
    account.add_sums(many._replace(samples=2**31 - 5))
    row = account.commit(1)
    assert row is not None
    assert row.samples == 2**31 - 1
