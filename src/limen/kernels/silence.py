"""When each unit was last active, in four bytes a unit.

All units of a site see the same samples, so how long a unit has been silent follows from the step at which it was
last active. Kept are that step's place among those seen, and for each place that some unit still names, or that a
unit may yet be found dead by, its number and the samples seen until then.
"""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

__all__ = ["Silence"]

Integers = npt.NDArray[np.int64]

ROOM = 1_024


class Silence:
    """The places of some units.

    Args:
        units: how many there are.
        dead_samples: samples for which a unit must have been silent before it counts as dead.
        dead_steps: steps over which it must have been.
        room: places that may stand in the list before it is looked through.

    Attributes:
        last: ``[units]``, the place at which the unit was last active; 0 for never.
    """

    def __init__(self, units: int, dead_samples: int, dead_steps: int, *, room: int = ROOM) -> None:
        self.last: npt.NDArray[np.uint32] = np.zeros(units, np.uint32)
        self._dead_samples, self._dead_steps = dead_samples, dead_steps
        self._place = self._samples = 0
        self._places, self._numbers, self._passed = array("q", [0]), array("q", [0]), array("q", [0])
        self._least_room = self._room = room
        self._enough = -1  # index of the last place since which a unit must have been silent to be dead

    def open(self, number: int, samples: int) -> tuple[int, int]:
        """Begin with a step: its place, and the last place at which a unit that is dead now was active; -1 for none."""
        self._place += 1
        self._samples += samples
        while self._is_enough(self._enough + 1):
            self._enough += 1
        dead = self._places[self._enough] if self._enough >= 0 else -1
        if len(self._places) >= self._room:
            self._tidy()
        self._places.append(self._place)
        self._numbers.append(number)
        self._passed.append(self._samples)
        return self._place, dead

    def _is_enough(self, index: int) -> bool:
        return (
            index < len(self._places)
            and self._place - self._places[index] >= self._dead_steps
            and self._samples - self._passed[index] >= self._dead_samples
        )

    def _tidy(self) -> None:
        """Forget places that no unit names; two of three are gone, or the list may grow."""
        places = np.array(self._places)
        keep = np.isin(places, self.last)
        keep[max(self._enough, 0) :] = True
        self._enough = int(keep[: self._enough].sum()) if self._enough >= 0 else -1
        for name in ("_places", "_numbers", "_passed"):
            setattr(self, name, array("q", np.array(getattr(self, name))[keep].tobytes()))
        self._room = max(self._least_room, 3 * len(self._places))

    @property
    def last_active(self) -> Integers:
        """``[units]``, number of the step in which the unit was last active; 0 for never."""
        return self._of(self._numbers)

    @property
    def steps(self) -> Integers:
        """``[units]``, steps seen since then."""
        return self._place - self.last.astype(np.int64)

    @property
    def samples(self) -> Integers:
        """``[units]``, samples seen since then."""
        return self._samples - self._of(self._passed)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.last.nbytes + 24 * len(self._places)

    def _of(self, column: array[int]) -> Integers:
        found = np.full(len(self.last), column[-1])
        silent = np.flatnonzero(self.last != self._place)
        found[silent] = np.array(column)[np.searchsorted(np.array(self._places), self.last[silent])]
        return found
