"""The clinic of one training: applies what the plan asks for and looks back at what it did."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch.optim import Optimizer

from limen.anatomy import Wiring
from limen.findings import Finding
from limen.journal import TreatmentRecord
from limen.treatments.applied import Applied, Refused
from limen.treatments.apply import apply
from limen.treatments.plan import plan
from limen.treatments.revive_units import NAME as REVIVE_UNITS
from limen.vitals import EVIDENCE, Vitals, dead_units

__all__ = ["Clinic"]

SEED = 20_260_101  # of limen's own random numbers: the training's stream is never touched


class Clinic:
    """Treats a running training, and remembers how to take each treatment back.

    Attributes:
        records: what was applied, in order.
        refusals: what could not be applied and why, in order, each once.
    """

    def __init__(self) -> None:
        self.records: tuple[TreatmentRecord, ...] = ()
        self.refusals: tuple[str, ...] = ()
        self._applied: list[Applied] = []
        self._units: list[tuple[int, ...]] = []
        self._generator = torch.Generator().manual_seed(SEED)

    def treat(
        self,
        findings: tuple[Finding, ...],
        vitals: Vitals,
        wiring: Callable[[str], Wiring | None],
        optimisers: Sequence[Optimizer],
    ) -> None:
        """Apply what the open findings call for now. Call between two training steps."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            self._refuse("Nothing is treated in a distributed training: each rank would decide for itself.")
            return
        for step in plan(findings, vitals, self.records):
            live = wiring(step.where) if step.name == REVIVE_UNITS else None
            outcome = apply(
                step,
                wirings={step.where: live} if live is not None else {},
                optimisers=optimisers,
                generator=self._generator,
                at=vitals.step,
            )
            if isinstance(outcome, Refused):
                seen = vitals.site(outcome.where)
                where = seen.site.title if seen is not None else outcome.where
                self._refuse(f"{outcome.name} at {where} was not applied: {outcome.reason}.")
                continue
            before = {**outcome.record.before, "loss": latest_loss(vitals)}
            self.records = (*self.records, replace(outcome.record, before=before))
            self._applied.append(outcome)
            self._units.append(step.units)

    def _refuse(self, reason: str) -> None:
        self.refusals = tuple(dict.fromkeys((*self.refusals, reason)))

    def look_back(self, vitals: Vitals) -> None:
        """Fill in what became of each treatment, once there is evidence."""
        self.records = tuple(
            replace(record, after={**record.after, **figures(record, units, vitals)})
            if vitals.step >= record.step + EVIDENCE.steps
            else record
            for record, units in zip(self.records, self._units, strict=True)
        )

    def undo(self) -> None:
        """Take all treatments back, the latest first."""
        for applied in reversed(self._applied):
            applied.undo()
        self.records = tuple(replace(record, kept=False) for record in self.records)
        self._applied = []


def figures(record: TreatmentRecord, units: tuple[int, ...], vitals: Vitals) -> dict[str, float]:
    """The figures of ``record.before`` as they are now."""
    now = {"loss": latest_loss(vitals)}
    if record.name == REVIVE_UNITS:
        site = vitals.site(record.where)
        dead: set[int] = set(dead_units(site).tolist()) if site is not None else set()
        now["dead units"] = float(len(dead & set(units)))
    return {name: now[name] for name in record.before if name in now}


def latest_loss(vitals: Vitals) -> float:
    """The newest recorded loss; NaN where none was recorded."""
    return float(vitals.losses[0].value[-1]) if vitals.losses and len(vitals.losses[0].value) else math.nan
