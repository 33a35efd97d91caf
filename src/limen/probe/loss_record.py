"""The running account of the losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from limen.anatomy import loss_function
from limen.kernels import Fetched, is_capturing
from limen.probe.backlog import Backlog
from limen.probe.parts import Parts
from limen.probe.rows import Rows
from limen.probe.surprise import Surprise
from limen.vitals import LossVitals

__all__ = ["LossBook"]


class LossBook:
    """One series for each optimiser, or one: the mean over the backward passes of its step, or their sum (see Parts).

    Args:
        backlog: what is to be entered later goes there.
        alarm: told the step of a loss that stands out from those before it.
    """

    def __init__(self, backlog: Backlog, alarm: Callable[[int], None]) -> None:
        self.pending: list[float | Fetched] = []
        self.last = math.nan
        self._backlog = backlog
        self._alarm = alarm
        self._parts = Parts()
        self._surprises: dict[int | None, Surprise] = {}
        self._functions: dict[int | None, str] = {}
        self._rows: dict[int | None, Rows] = {}
        self._name = "other"

    def add(self, root: Tensor, loss: Tensor, *, looking: bool, within: bool = False) -> None:
        """Enter the loss of one backward pass; on a step that is not looked at, only where reading it costs nothing.

        Args:
            root: where the pass begins: the loss, or what a gradient scaler has made of it.
            loss: the number to enter, read now: a script may change it in place.
            looking: whether this step is looked at.
            within: whether an optimiser evaluates the model within its step.
        """
        if looking and not self.pending:
            self._name = loss_function(root)
        real = loss.real if loss.is_complex() else loss
        if loss.is_cpu:
            self.pending.append(real.item())
        elif looking and not is_capturing(loss):
            self.pending.append(Fetched(real))
        else:
            return
        self._parts.add(root, within=within)

    def drop(self) -> None:
        """Forget the losses since the last update: they belong to a model that is not watched."""
        self.pending = []
        self._parts.drop()

    def close(self, step: int, optimiser: int | None) -> None:
        """Give the losses since the last update to the optimiser that has just stepped."""
        if not self.pending:
            return
        pending, self.pending = self.pending, []
        newest, factor = pending[-1], self._parts.close(optimiser)
        self._backlog.do(
            lambda: self._enter(step, optimiser, pending, factor), newest if isinstance(newest, Fetched) else None
        )

    def _enter(self, step: int, optimiser: int | None, pending: Sequence[float | Fetched], factor: int) -> None:
        self.last = factor * sum(map(number_of, pending)) / len(pending)
        if optimiser not in self._rows:
            self._functions[optimiser], self._rows[optimiser] = self._name, Rows(2)
            self._surprises[optimiser] = Surprise()
        self._rows[optimiser].append(step, self.last)
        if self._surprises[optimiser].meets(self.last):
            self._alarm(step)

    def vitals(self) -> tuple[LossVitals, ...]:
        """Copies as values."""
        return tuple(
            LossVitals(self._functions[optimiser], rows.whole(0), rows.column(1), optimiser)
            for optimiser, rows in self._rows.items()
        )


def number_of(loss: float | Fetched) -> float:
    """A loss as a number."""
    return float(loss.numbers()) if isinstance(loss, Fetched) else loss
