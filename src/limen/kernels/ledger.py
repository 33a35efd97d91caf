"""Many accounts whose steps are closed together: in one call of the compiled library, where that keeps them."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from limen.errors import InvalidValue
from limen.kernels.account import Account, Row
from limen.kernels.compiled_account import CompiledAccount
from limen.kernels.torch_pass import Floats, Integers

__all__ = ["Ledger"]

WAITING = 20  # steps whose rows are kept at most; a window has as many at least
COLUMNS = len(Row._fields)
NO_ROW = (0.0,) * COLUMNS


class Ledger:
    """The accounts, and the rows of their last steps until these are taken.

    Attributes:
        is_full: the rows must be taken before the next step.
    """

    def __init__(self) -> None:
        self._accounts: list[Account | CompiledAccount] = []
        self._addresses = array("Q")
        self._commit: Any = None
        self._numbers = array("q")
        self._table = np.empty((WAITING, 0, COLUMNS))
        self._address = 0
        self.is_full = False

    def enter(self, account: Account | CompiledAccount) -> None:
        """Keep one account more. The rows so far must have been taken."""
        table, addresses, commit = np.empty((WAITING, len(self) + 1, COLUMNS)), self._addresses, self._commit
        if isinstance(account, CompiledAccount):
            addresses, commit = addresses + array("Q", [account.address]), account.kernels.library.commit
        address = table.ctypes.data
        # No call from here on: an interrupt may come after any
        self._accounts, self._addresses, self._commit = [*self._accounts, account], addresses, commit
        self._table, self._address = table, address

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._accounts)

    def commit(self, number: int) -> bool:
        """Close the current step of all accounts under its number; whether the rows must be taken before the next.

        Raises:
            InvalidValue: they had to be, and were not.
        """
        if self.is_full:
            raise InvalidValue("Ledger.commit(): take() the rows so far first; there is no room for another step.")
        waiting, accounts = len(self._numbers), len(self._accounts)
        self.is_full = True  # whatever an interrupt leaves unfinished
        if len(self._addresses) < accounts:
            self._table[waiting] = [account.commit(number) or NO_ROW for account in self._accounts]
            self._numbers.append(number)
            return True
        rows = self._address + 8 * waiting * accounts * COLUMNS
        full = accounts and self._commit(accounts, self._addresses.buffer_info()[0], number, rows)
        self._numbers.append(number)
        self.is_full = bool(full) or waiting + 1 == WAITING
        return self.is_full

    def take(self) -> tuple[Integers, Floats]:
        """``[steps]``, the numbers of the steps since the last call, and ``[accounts, steps, columns]``, their rows.

        The columns are those of ``Row``; all of them are 0 where an account had no samples.
        """
        numbers, self._numbers, self.is_full = np.array(self._numbers, np.int64), array("q"), False
        for account in self._accounts:
            account.silence.tidy()
        return numbers, self._table[: len(numbers)].swapaxes(0, 1).copy()
