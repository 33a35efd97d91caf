"""A watched run as one value: what a journal holds and every report is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from limen.findings import Finding
from limen.journal.treatment import TreatmentRecord
from limen.ranks import Ranks
from limen.vitals import EVIDENCE, Histogram, Vitals

__all__ = ["Run", "Verdict"]

Verdict = Literal["healthy", "sick", "undecided"]


@dataclass(frozen=True, eq=False)
class Run:
    """One training, watched.

    Attributes:
        script: what was run, as the user wrote it; ``python`` for a watch from code.
        arguments: the script's own arguments.
        started: seconds since 1970-01-01 UTC.
        seconds: wall time from the first forward pass to the last step, in seconds.
        spent: part of it that limen took, in seconds.
        budget: share that limen was allowed; None for every step whatever it costs.
        finished: True once the watch ended in order; False in a journal whose process was killed.
        exit_code: of the script; None while it runs or for a watch from code; negative for a signal.
        broken: why the watch ended before the training did; empty where it did not.
        environment: versions and machine, by name.
        ranks: which processes of a distributed training this was seen by; None where there is only one.
        vitals: what was seen.
        findings: open ones first, by severity.
        treatments: in the order they were applied.
        histograms: by name of site, pairs of step and the histogram of that step, at steps spread over the run.
    """

    script: str = "python"
    arguments: tuple[str, ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    spent: float = 0.0
    budget: float | None = 0.01
    finished: bool = False
    exit_code: int | None = None
    broken: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    ranks: Ranks | None = None
    vitals: Vitals = field(default_factory=Vitals)
    findings: tuple[Finding, ...] = ()
    treatments: tuple[TreatmentRecord, ...] = ()
    histograms: dict[str, tuple[tuple[int, Histogram], ...]] = field(
        default_factory=dict[str, tuple[tuple[int, Histogram], ...]]
    )

    @property
    def overhead(self) -> float:
        """Share of the run that limen took, in [0, 1]."""
        return self.spent / self.seconds if self.seconds > 0 else 0.0

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Findings of severity warning or error that still hold."""
        return tuple(f for f in self.findings if f.closed is None and f.severity != "info")

    @property
    def verdict(self) -> Verdict:
        """``sick`` when something is found; ``undecided`` when too little was seen to say ``healthy``."""
        if self.open_findings:
            return "sick"
        if self.broken:
            return "undecided"
        enough = self.vitals.step >= EVIDENCE.steps and self.samples >= EVIDENCE.samples
        return "healthy" if enough else "undecided"

    @property
    def samples(self) -> int:
        """Samples on which the units of the site that saw most of them were evaluated; 0 without sites."""
        return max((seen.samples for seen in self.vitals.sites), default=0)
