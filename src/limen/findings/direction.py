"""Whether what was found is getting worse."""

from __future__ import annotations

from typing import Literal

import numpy as np

from limen.findings.figures import Floats, finite, median, noise
from limen.findings.finding import Finding
from limen.findings.looks import margin
from limen.vitals import Vitals

__all__ = ["Direction", "direction", "direction_words"]

Direction = Literal["rising", "steady", "healing"]

FEWEST_ROWS = 16  # four for each quarter
CHANGE = 0.1  # of the level before: less is not worth telling


def direction(harm: Floats) -> Direction | None:
    """Where a measure of harm goes, the more the worse: its latest quarter of rows beside the quarter before.

    A change counts beyond the noise, however often that is asked, and from a tenth of the level before on. None for too
    few rows.

    >>> direction(np.arange(40.0)), direction(np.ones(40)), direction(-np.arange(40.0))
    ('rising', 'steady', 'healing')
    """
    known = finite(harm)
    if len(known) < FEWEST_ROWS:
        return None
    before, now = (median(part) for part in np.array_split(known, 4)[2:])
    error = margin(len(known)) * noise(known) * float(np.sqrt(np.pi / (len(known) // 4)))
    if abs(now - before) <= max(error, CHANGE * abs(before)):
        return "steady"
    return "rising" if now > before else "healing"


def direction_words(finding: Finding, vitals: Vitals) -> str:
    """What to add to the message of a finding that gets worse or better; empty for the rest."""
    going = direction(_harm(finding, vitals))
    return {"rising": " It is getting worse.", "healing": " It is healing."}.get(going or "", "")


def _harm(finding: Finding, vitals: Vitals) -> Floats:
    """The history of what the symptom is measured by, since it began; empty where none was recorded."""
    seen, weight = vitals.site(finding.where), vitals.parameter(finding.where)
    if finding.symptom in ("dead-units", "dying-units") and seen is not None:
        return seen.history.dead[seen.history.step >= finding.step].astype(np.float64)
    if finding.symptom == "saturated-units" and seen is not None:
        return seen.history.saturated[seen.history.step >= finding.step].astype(np.float64)
    if finding.symptom == "exploding-activations" and seen is not None:
        return seen.history.std
    if finding.symptom == "exploding-gradient" and weight is not None:
        return weight.history.gradient[weight.history.step >= finding.step]
    if finding.symptom == "diverging-loss" and len(vitals.losses) == 1:
        return vitals.losses[0].value[vitals.losses[0].step >= finding.step]
    return np.array([])
