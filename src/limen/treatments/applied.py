"""What came of a treatment: a change that can be taken back, or a reason why nothing was changed."""

from collections.abc import Callable
from dataclasses import dataclass

from limen.journal import TreatmentRecord

__all__ = ["Applied", "Refused"]


@dataclass(frozen=True, eq=False)
class Applied:
    """A treatment that changed the live training.

    Attributes:
        record: what was changed, for the journal.
        undo: puts back every entry that was changed. As long as no optimiser step was taken since, weights,
            optimiser state and rates are then bit for bit what they were. After further steps the same entries get
            the same old values, and everything else keeps what it has learnt: revived units are dead again, the
            old learning rate rules again (also over whatever a schedule has done to it meanwhile).
    """

    record: TreatmentRecord
    undo: Callable[[], None]


@dataclass(frozen=True)
class Refused:
    """A treatment that is not possible here; nothing was changed.

    Attributes:
        name: the remedy that was asked for.
        where: the site or optimiser it was asked for.
        reason: one sentence for a person.
    """

    name: str
    where: str
    reason: str
