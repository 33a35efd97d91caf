"""When each unit was last active, in four bytes a unit.

All units of a site see the same samples, so how long a unit has been silent follows from the step at which it was
last active. Kept are that step's place among those seen, and for each place that some unit still names, or that a
unit may yet be found dead by, its number and the samples seen until then.
"""

from __future__ import annotations

from ctypes import Structure, c_int64, c_void_p

import numpy as np
import numpy.typing as npt

from limen.lasting import Memory

__all__ = ["Silence", "SilenceFields", "account_memory"]

Integers = npt.NDArray[np.int64]

ROOM = 128

account_memory = Memory()  # arrays of accounts come together and stay


class SilenceFields(Structure):
    """``struct silence`` of ``pass.c``, which opens steps as ``Silence`` does."""

    dead_samples: int
    dead_steps: int
    place: int
    samples: int
    enough: int  # index of the last place since which a unit must have been silent to be dead
    length: int
    room: int
    _fields_ = [
        *((name, c_int64) for name in ("dead_samples", "dead_steps", "place", "samples", "enough", "length", "room")),
        ("steps", c_void_p),
        ("last", c_void_p),
    ]


class Silence:
    """The places of some units.

    Args:
        units: how many there are.
        dead_samples: samples for which a unit must have been silent before it counts as dead.
        dead_steps: steps over which it must have been.
        room: places that may stand in the list before it is looked through.
        fields: where the compiled library goes on with it.
    """

    def __init__(
        self, units: int, dead_samples: int, dead_steps: int, *, room: int = ROOM, fields: SilenceFields | None = None
    ) -> None:
        self._last, self._list = account_memory.zeros(units, np.uint32), account_memory.zeros(3 * room, np.int64)
        self._fields = SilenceFields() if fields is None else fields
        self._fields.dead_samples, self._fields.dead_steps, self._fields.enough = dead_samples, dead_steps, -1
        self._fields.last, self._fields.steps, self._fields.room = self._last.address, self._list.address, room
        self._keep(np.zeros((3, 1), np.int64))

    @property
    def last(self) -> npt.NDArray[np.uint32]:
        """``[units]``, the place at which the unit was last active; 0 for never."""
        return self._last.open()

    @property
    def _steps(self) -> Integers:
        """``[3, room]``: places, numbers, samples seen until then."""
        return self._list.open().reshape(3, -1)

    def open(self, number: int, samples: int) -> tuple[int, int]:
        """Begin with a step: its place, and the last place at which a unit that is dead now was active; -1 for none."""
        self.tidy()
        fields = self._fields
        fields.place += 1
        fields.samples += samples
        while self._is_enough(fields.enough + 1):
            fields.enough += 1
        self._steps[:, fields.length] = fields.place, number, fields.samples
        fields.length += 1
        return fields.place, int(self._steps[0, fields.enough]) if fields.enough >= 0 else -1

    def _is_enough(self, index: int) -> bool:
        fields = self._fields
        if index >= fields.length:
            return False
        place, _, passed = self._steps[:, index].tolist()
        return fields.place - place >= fields.dead_steps and fields.samples - passed >= fields.dead_samples

    def tidy(self, steps: int = 1) -> None:
        """Where there is no room for so many steps, forget places that no unit names; or the list may grow."""
        fields = self._fields
        if fields.length + steps <= fields.room:
            return
        places = self._steps[:, : fields.length]
        keep = np.isin(places[0], self.last)
        keep[max(fields.enough, 0) :] = True
        fields.enough = int(keep[: fields.enough].sum()) if fields.enough >= 0 else -1
        self._keep(places[:, keep])

    def _keep(self, steps: Integers) -> None:
        """Go on with these places; two of three of those before are gone, or there is room for more."""
        fields = self._fields
        fields.length = steps.shape[1]
        if 3 * fields.length > fields.room:
            fields.room = max(3 * fields.length, 2 * fields.room)
            self._list = account_memory.zeros(3 * fields.room, np.int64)
            fields.steps = self._list.address
        self._steps[:, : fields.length] = steps

    @property
    def last_active(self) -> Integers:
        """``[units]``, number of the step in which the unit was last active; 0 for never."""
        return self._of(0)

    @property
    def steps(self) -> Integers:
        """``[units]``, steps seen since then."""
        return self._of(1)

    @property
    def samples(self) -> Integers:
        """``[units]``, samples seen since then."""
        return self._of(2)

    def kinds(self) -> tuple[Integers, Integers]:
        """These three in short: ``[units]``, the kind of each unit, and ``[3, kinds]``, what they are of a kind."""
        fields, last = self._fields, self.last
        places, numbers, passed = self._steps[:, : fields.length]
        index = np.full(len(last), fields.length - 1)
        silent = np.flatnonzero(last != fields.place)
        index[silent] = np.searchsorted(places, last[silent])
        is_named = np.zeros(fields.length, bool)
        is_named[index] = True
        kinds = np.stack([numbers, fields.place - places, fields.samples - passed])
        return (np.cumsum(is_named) - 1)[index], kinds[:, is_named]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._last.nbytes + self._list.nbytes

    def _of(self, row: int) -> Integers:
        which, kinds = self.kinds()
        return kinds[row][which]
