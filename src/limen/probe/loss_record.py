"""The running account of the losses."""

from __future__ import annotations

import math

from torch import Tensor

from limen.anatomy import loss_function
from limen.probe.rows import Rows
from limen.probe.surprise import Surprise
from limen.vitals import LossVitals

__all__ = ["LossBook"]


class LossBook:
    """One series for each optimiser, or one: the mean over the backward passes of its step."""

    def __init__(self) -> None:
        self.pending: list[Tensor] = []
        self.last = math.nan
        self.startles = False  # the last stands out from those before it
        self._surprises: dict[int | None, Surprise] = {}
        self._functions: dict[int | None, str] = {}
        self._rows: dict[int | None, Rows] = {}
        self._name = "other"

    def add(self, loss: Tensor, *, looking: bool) -> None:
        """Enter the loss of one backward pass; on a step that is not looked at, only where reading it costs nothing."""
        if looking and not self.pending:
            self._name = loss_function(loss)
        if looking or loss.device.type == "cpu":
            self.pending.append(loss.detach())

    def drop(self) -> None:
        """Forget the losses since the last update: they belong to a model that is not watched."""
        self.pending = []

    def close(self, step: int, optimiser: int | None) -> None:
        """Give the losses since the last update to the optimiser that has just stepped."""
        if not self.pending:
            return
        values = [(value.real if value.is_complex() else value).item() for value in self.pending]
        self.pending = []
        self.last = sum(values) / len(values)
        if optimiser not in self._rows:
            self._functions[optimiser], self._rows[optimiser] = self._name, Rows(2)
            self._surprises[optimiser] = Surprise()
        self.startles = self._surprises[optimiser].meets(self.last)
        self._rows[optimiser].append(step, self.last)

    def vitals(self) -> tuple[LossVitals, ...]:
        """Copies as values."""
        return tuple(
            LossVitals(self._functions[optimiser], rows.whole(0), rows.column(1), optimiser)
            for optimiser, rows in self._rows.items()
        )
