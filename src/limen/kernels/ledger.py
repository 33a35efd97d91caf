"""Many accounts whose steps are closed together: in one call of the compiled library, where that keeps them."""

from __future__ import annotations

import ctypes
from array import array
from ctypes import Structure, c_int64, c_void_p
from typing import Any, NamedTuple

import numpy as np

from limen.errors import InvalidValue
from limen.kernels.account import Account, Row
from limen.kernels.compiled_account import CompiledAccount
from limen.kernels.compiled_pass import address_of
from limen.kernels.reading import address_of_function
from limen.kernels.torch_pass import Floats, Integers

__all__ = ["Ledger", "Shortcut"]

WAITING = 20  # steps whose rows are kept at most; a window has as many at least
COLUMNS = len(Row._fields)
NO_ROW = (0.0,) * COLUMNS


class LedgerFields(Structure):
    """``struct ledger`` of ``pass.c``."""

    accounts: int
    steps: int
    is_full: int
    all: int
    rows: int
    _fields_ = [
        *((name, c_int64) for name in ("accounts", "steps", "most", "is_full")),
        *((name, c_void_p) for name in ("all", "numbers", "rows")),
    ]


class Shortcut(NamedTuple):
    """What closes a step without Python.

    Attributes:
        close: address of ``limen_close``.
        ledger: its first argument.
    """

    close: int
    ledger: int


class Ledger:
    """The accounts, and the rows of their last steps until these are taken."""

    def __init__(self) -> None:
        self._accounts: list[Account | CompiledAccount] = []
        self._addresses = array("Q")
        self._close: Any = None
        self._numbers = np.empty(WAITING, np.int64)
        self._table = np.empty((WAITING, 0, COLUMNS))
        self._fields = LedgerFields(most=WAITING, numbers=address_of(self._numbers))
        self._address = ctypes.addressof(self._fields)

    @property
    def is_full(self) -> bool:
        """The rows must be taken before the next step."""
        return bool(self._fields.is_full)

    @property
    def shortcut(self) -> Shortcut | None:
        """A shorter way to ``commit``, while the ledger lives; None where there is none."""
        if self._close is None or len(self._addresses) < len(self._accounts):
            return None
        return Shortcut(address_of_function(self._close), self._address)

    def enter(self, account: Account | CompiledAccount) -> None:
        """Keep one account more. The rows so far must have been taken."""
        count, table = len(self) + 1, np.empty((WAITING, len(self) + 1, COLUMNS))
        addresses, close, fields = self._addresses, self._close, self._fields
        if isinstance(account, CompiledAccount):
            addresses, close = addresses + array("Q", [account.address]), account.kernels.library.close
        rows, (address, _) = table.ctypes.data, addresses.buffer_info()
        # No call from here on: an interrupt may come after any
        self._accounts, self._addresses, self._close, self._table = [*self._accounts, account], addresses, close, table
        fields.accounts, fields.all, fields.rows = count, address, rows

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._accounts)

    def commit(self, number: int) -> bool:
        """Close the current step of all accounts under its number; whether the rows must be taken before the next.

        Raises:
            InvalidValue: they had to be, and were not.
        """
        if self._close is None or len(self._addresses) < len(self._accounts):
            full = self._commit_each(number)
        else:
            full = self._close(self._address, number)
        if full < 0:
            raise InvalidValue("Ledger.commit(): take() the rows so far first; there is no room for another step.")
        return bool(full)

    def _commit_each(self, number: int) -> int:
        """As ``limen_close``."""
        fields = self._fields
        if fields.is_full:
            return -1
        for place, account in enumerate(self._accounts):
            self._table[fields.steps, place] = account.commit(number) or NO_ROW
        self._numbers[fields.steps] = number
        fields.steps, fields.is_full = fields.steps + 1, 1
        return 1

    def take(self) -> tuple[Integers, Floats]:
        """``[steps]``, the numbers of the steps since the last call, and ``[accounts, steps, columns]``, their rows.

        The columns are those of ``Row``; all of them are 0 where an account had no samples.
        """
        fields = self._fields
        steps, fields.steps, fields.is_full = fields.steps, 0, 0
        for account in self._accounts if steps else ():
            account.silence.tidy(WAITING)  # or one after the other would ask for it
        return self._numbers[:steps].copy(), self._table[:steps].swapaxes(0, 1).copy()
