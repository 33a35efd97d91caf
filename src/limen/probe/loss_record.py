"""The running account of the losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from limen.anatomy import divisors_of
from limen.kernels import Fetched, is_capturing
from limen.probe.backlog import Backlog
from limen.probe.beginning import Beginning
from limen.probe.output_record import STEPS, Glimpse, OutputRecord, glimpse_of
from limen.probe.parts import Parts
from limen.probe.rows import Rows
from limen.probe.scaling import Scaling
from limen.probe.surprise import Surprise, new_surprise
from limen.vitals import LossVitals

__all__ = ["LossBook"]

YOUNG = 20  # losses, of all series, that are each asked which function made them; later only those of a new series


class LossBook:
    """One series for each optimiser, or one: the mean over the backward passes of its step, or their sum (see Parts).

    Of an optimiser that evaluates its loss several times within a step, the passes of the first time count.

    Args:
        backlog: what is to be entered later goes there.
        alarm: told the step of a loss that stands out from those before it.

    Attributes:
        remarks: what the loss was taken to be, where that is not plain.
    """

    def __init__(self, backlog: Backlog, alarm: Callable[[int], None]) -> None:
        self.pending: list[float | Fetched] = []
        self.last = math.nan
        self.remarks: list[str] = []
        self._backlog = backlog
        self._alarm = alarm
        self._parts = Parts()
        self._surprises: dict[int | None, Surprise] = {}
        self._functions: dict[int | None, str | None] = {}  # None for one that has yet to be named
        self._outputs: dict[int | None, OutputRecord] = {}
        self._rows: dict[int | None, Rows] = {}
        self._name: str | None = None
        self._words = ""
        self._to_name = YOUNG
        self._glimpses: list[Glimpse] = []  # of the passes since the last update
        self._young = STEPS  # looked-at steps left in which they are taken
        self._full = False  # what follows until the next update is no longer entered

    def add(self, beginning: Beginning, scaling: Scaling | None, *, looking: bool) -> None:
        """Enter the loss of one backward pass; on a step that is not looked at, only where reading it costs nothing.

        Args:
            beginning: where the pass begins; its loss is read now, since a script may change it in place.
            scaling: what a gradient scaler did to it.
            looking: whether this step is looked at.
        """
        root = beginning.roots[0]
        if self._full or not (root.is_cpu or (looking and not is_capturing(root))):
            return
        if looking and not self.pending:
            self._name, self._words = beginning.function if self._to_name else None, beginning.words
        if looking and self._young > 0:
            self._glimpses.append(glimpse_of(beginning.reading))
        if scaling is None and root.is_cpu and root.is_floating_point() and beginning.is_loss:
            self.pending.append(root.item())
        elif (loss := read(beginning, scaling)) is not None:
            self.pending.append(loss)
        else:
            return
        self._parts.add(divisors_of(root))

    def fill(self) -> None:
        """Enter no more losses until the next update: the optimiser has evaluated them where it stands."""
        self._full = bool(self.pending)

    def drop(self) -> None:
        """Forget the losses since the last update: they belong to a model that is not watched."""
        self.pending, self._full = [], False
        self._glimpses = []
        self._parts.drop()

    def close(self, step: int, optimiser: int | None, *, upwards: bool = False) -> None:
        """Give the losses since the last update to the optimiser that has just stepped, ``upwards`` or down."""
        self._full = False
        if not self.pending:
            return
        pending, self.pending = self.pending, []
        glimpses, self._glimpses = self._glimpses, []
        self._glimpse(optimiser, glimpses, upwards=upwards)
        newest, factor, name = pending[-1], self._parts.close(optimiser), self._name
        self._backlog.do(
            lambda: self._enter(step, optimiser, pending, factor, name), newest if isinstance(newest, Fetched) else None
        )

    def usual(self, optimiser: int | None, *, looking: bool) -> Surprise | None:
        """What the losses of an optimiser were so far; None where a step may have more to it than one of them."""
        more = bool(self.pending) or (looking and (self._to_name > 0 or self._young > 0))
        return None if more or not self._parts.are_single(optimiser) else self._surprises.get(optimiser)

    def enter(self, optimiser: int | None, steps: Sequence[int], losses: Sequence[float]) -> None:
        """Enter losses that ``usual`` expected."""
        self.last = losses[-1]
        self._rows[optimiser].extend(np.asarray(steps), np.reshape(losses, (-1, 1)))

    def resume(self, loss: float, divisors: Sequence[Tensor]) -> None:
        """Enter the loss of a backward pass that was only noted, with the ``divisors_of`` its root."""
        self.pending.append(loss)
        self._parts.add(divisors)

    def _glimpse(self, optimiser: int | None, glimpses: list[Glimpse], *, upwards: bool) -> None:
        """Enter what the passes of a step began at; a new optimiser makes the account young again."""
        new = optimiser not in self._outputs
        record = self._outputs.setdefault(optimiser, OutputRecord(upwards))
        if glimpses:
            record.add(glimpses)
        self._young = (STEPS if new else self._young) - bool(glimpses)

    def _enter(
        self, step: int, optimiser: int | None, pending: Sequence[float | Fetched], factor: int, name: str | None
    ) -> None:
        known = [number for number in map(number_of, pending) if number is not None]
        if not known:
            return
        self.last = factor * sum(known) / len(known)
        if self._words and not self.remarks:
            self.remarks.append(self._words)
        if self._to_name or optimiser not in self._rows:
            self._give_name(optimiser, name)
        self._rows[optimiser].append(step, self.last)
        if self._surprises[optimiser].meets(self.last):
            self._alarm(step)

    def _give_name(self, optimiser: int | None, name: str | None) -> None:
        """Open the series of an optimiser, if it is new, and name it, if that can be done."""
        self._functions[optimiser] = self._functions.get(optimiser) or name
        if optimiser not in self._rows:
            self._rows[optimiser], self._surprises[optimiser] = Rows(2), new_surprise()
        self._to_name = max(self._to_name - 1, int(None in self._functions.values()))

    def vitals(self) -> tuple[LossVitals, ...]:
        """Copies as values."""
        seen = [(self._outputs.get(optimiser, OutputRecord()), optimiser) for optimiser in self._rows]
        return tuple(
            LossVitals(
                self._functions[optimiser] or "other", self._rows[optimiser].column(0), self._rows[optimiser].column(1),
                optimiser, head=record.head, negated=record.negated, outputs=record.outputs, targets=record.targets,
            )
            for record, optimiser in seen
        )  # fmt: skip


def read(beginning: Beginning, scaling: Scaling | None) -> float | Fetched | None:
    """The loss of a backward pass that does not begin at one plain number on the CPU; None where it has none."""
    loss = beginning.loss() if scaling is None else scaling.undone(beginning)
    real = loss.real if loss.is_complex() else loss
    if not loss.is_cpu:
        return Fetched(real)
    return real.flatten()[0].item() if loss.ndim == 0 or real[1] else None


def number_of(loss: float | Fetched) -> float | None:
    """A loss as a number; None where it turns out to be none."""
    if not isinstance(loss, Fetched):
        return loss
    first, *is_loss = loss.numbers().flatten().tolist()
    return first if all(is_loss) else None
