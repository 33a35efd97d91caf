"""The session that ties probe, journal, findings and treatments to one training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from torch import nn

from limen.findings import Finding
from limen.journal import Run, TreatmentRecord
from limen.vitals import Vitals

__all__ = ["Progress", "Treat", "Watch", "watch"]

Treat = Literal["off", "safe"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands, for a live line.

    Attributes:
        step: the last training step, from 1.
        loss: the last loss; NaN before the first.
        worst_site: name of the site with the largest dead share; empty where there is none.
        dead_share: its share of dead units.
        gradient_ratio: gradient norm at the first site over that at the last; NaN where unknown.
        overhead: share of the run that limen took.
        sites: number of sites found.
        findings: as of now, open ones first.
        treatments: as of now.
    """

    step: int
    loss: float
    worst_site: str
    dead_share: float
    gradient_ratio: float
    overhead: float
    sites: int
    findings: tuple[Finding, ...]
    treatments: tuple[TreatmentRecord, ...]


class Watch:
    """A watch over one training; a context manager."""

    def __init__(
        self,
        models: tuple[nn.Module, ...] | None = None,
        *,
        budget: float | None = 0.01,
        journal: Path | None = None,
        treat: Treat = "off",
        strict: bool = False,
        script: str = "python",
        arguments: tuple[str, ...] = (),
        listener: Callable[[Progress], None] | None = None,
        listen_every: float = 0.25,
    ) -> None:
        raise NotImplementedError

    def __enter__(self) -> Watch:
        raise NotImplementedError

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        raise NotImplementedError

    def close(self, exit_code: int | None = None) -> Run:
        """Take all hooks away, write the journal's last page and return what was seen. Safe to call twice."""
        raise NotImplementedError

    @property
    def run(self) -> Run:
        """The run as of now."""
        raise NotImplementedError

    @property
    def vitals(self) -> Vitals:
        """What was seen as of now."""
        raise NotImplementedError

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong as of now."""
        raise NotImplementedError

    def diagnosis(self) -> str:
        """The verdict and its findings as plain text."""
        raise NotImplementedError

    def report(self, path: str | Path) -> None:
        """Write the HTML report."""
        raise NotImplementedError

    def to_json(self) -> dict[str, object]:
        """The report as the documented JSON object."""
        raise NotImplementedError


def watch(
    model: nn.Module | list[nn.Module] | None = None,
    optimizer: object = None,
    *,
    budget: float | None = 0.01,
    journal: str | Path | None = None,
    treat: Treat = "off",
    strict: bool = False,
) -> Watch:
    """Watch a training: ``with limen.watch(model) as w: …; print(w.diagnosis())``."""
    raise NotImplementedError
