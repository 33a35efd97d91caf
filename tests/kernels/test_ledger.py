"""Steps of several accounts closed together are those of each closed alone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InvalidValue
from limen.kernels import Account, CompiledAccount, Ledger, Row, Rules
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.ledger import WAITING
from limen.kernels.library import Library

Open = Callable[[Rules], Account | CompiledAccount]

UNITS = 21
RULES = Rules(UNITS, 0.0, None, dead_left=True, dead_samples=100, dead_steps=4, saturated=0.95)


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def opened(request: pytest.FixtureRequest, library: Library | None) -> Open:
    if request.param == "numpy":
        return Account
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    kernels = CompiledPass(library)
    return lambda rules: CompiledAccount(rules, kernels)


@given(seed=st.integers(0, 2**16), accounts=st.integers(0, 4), steps=st.integers(1, 180), most=st.integers(1, 60))
@settings(deadline=None, max_examples=20)
def test_rows_and_silence_are_those_of_each_alone(
    opened: Open, seed: int, accounts: int, steps: int, most: int
) -> None:
    random = np.random.default_rng(seed)
    together, alone = [[opened(RULES) for _ in range(accounts)] for _ in range(2)]
    ledger = Ledger()
    for account in together:
        ledger.enter(account)
    numbers: list[int] = []
    expected: list[list[Row | None]] = []
    for number in range(1, steps + 1):
        for pair in zip(together, alone, strict=True):
            z = torch.from_numpy(random.normal(size=(int(random.integers(0, most)), UNITS)) + random.choice([-9, 9]))
            norms = random.random(int(random.integers(0, 3))).tolist()
            for account in pair:
                account.add(z, -1)
                for norm in norms:
                    account.add_gradient(norm)
        numbers.append(3 * number)
        expected.append([account.commit(3 * number) for account in alone])
        if ledger.commit(3 * number) or number == steps:
            assert len(numbers) <= WAITING
            taken, rows = ledger.take()
            assert taken.tolist() == numbers
            for own, kept in zip(rows, zip(*expected, strict=True), strict=True):
                wanted = [np.zeros(len(Row._fields)) if row is None else np.array(row) for row in kept]
                np.testing.assert_array_equal(own, wanted)
            numbers, expected = [], []
            for account in (*together, *alone):
                if account.window.samples >= RULES.dead_samples:
                    account.window.clear()
    for one, other in zip(together, alone, strict=True):
        assert one.last_active.tolist() == other.last_active.tolist()
        assert one.silent_steps.tolist() == other.silent_steps.tolist()
        assert one.silent_samples.tolist() == other.silent_samples.tolist()


def test_rows_are_to_be_taken_as_soon_as_a_window_is_full(opened: Open) -> None:
    ledger, account = Ledger(), opened(RULES)
    ledger.enter(account)
    for number in range(1, 8):
        account.add(torch.ones(30, UNITS), -1)
        must = ledger.commit(number)
        is_full = account.window.samples >= RULES.dead_samples and number >= RULES.dead_steps
        assert must or not is_full
        if must:
            ledger.take()


def test_nothing_but_windows_asks_for_the_rows(opened: Open) -> None:
    rules = RULES._replace(dead_samples=WAITING * 3, dead_steps=WAITING)
    ledger, accounts = Ledger(), [opened(rules) for _ in range(3)]
    for account in accounts:
        ledger.enter(account)
    waiting, random = 0, np.random.default_rng(0)
    for number in range(1, 40 * WAITING):
        for account in accounts:
            account.add(torch.from_numpy(np.where(random.random(UNITS) < 0.1, 1.0, -1.0)).expand(3, UNITS), -1)
        waiting += 1
        if must := ledger.commit(number):
            ledger.take()
        assert must == (waiting == WAITING or isinstance(accounts[0], Account))  # in numpy after each step
        if must:
            waiting = 0
            for account in accounts:
                if account.window.samples >= rules.dead_samples:
                    account.window.clear()


def test_a_step_for_which_there_is_no_room_is_refused(opened: Open) -> None:
    ledger, account = Ledger(), opened(RULES)
    ledger.enter(account)
    for number in range(1, WAITING + 1):
        account.add(torch.ones(1, UNITS), -1)
        if ledger.commit(number):
            break
    with pytest.raises(InvalidValue, match=r"take\(\) the rows so far first"):
        ledger.commit(WAITING + 1)


def test_nothing_is_taken_twice(opened: Open) -> None:
    ledger, account = Ledger(), opened(RULES)
    ledger.enter(account)
    account.add(torch.ones(3, UNITS), -1)
    ledger.commit(1)
    numbers, rows = ledger.take()
    assert (numbers.tolist(), rows.shape) == ([1], (1, 1, len(Row._fields)))
    assert ledger.take()[0].tolist() == []
