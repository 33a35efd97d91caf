"""What is new in a watched training, in words: found, why, repaired, healed."""

from collections.abc import Iterator
from dataclasses import dataclass

from limen.findings import Finding
from limen.journal import TreatmentRecord

__all__ = ["Line", "Told", "healed", "news"]

NAMED = 8  # units named before "and … more"


@dataclass(frozen=True)
class Line:
    """One labelled line of the demo's account.

    Attributes:
        label: ``found``, ``what``, ``units``, ``why``, ``repaired`` or ``healed``.
        text: what happened.
    """

    label: str
    text: str


@dataclass(frozen=True)
class Told:
    """What was told already.

    Attributes:
        found: keys of findings.
        treatments: how many.
    """

    found: frozenset[str] = frozenset()
    treatments: int = 0


def news(
    told: Told, findings: tuple[Finding, ...], treatments: tuple[TreatmentRecord, ...], *, brief: bool = False
) -> tuple[tuple[Line, ...], Told]:
    """The lines that were not told yet, and what has been told with them.

    Args:
        told: what was told so far.
        findings: of the training as of now.
        treatments: of the training as of now.
        brief: leave out units and evidence, for findings that the reader has just met in another training.
    """
    fresh = [finding for finding in findings if finding.severity != "info" and finding.key not in told.found]
    lines = [line for finding in fresh for line in of_finding(finding, brief=brief)]
    lines += [
        Line("repaired", f"after step {record.step}: {record.detail}") for record in treatments[told.treatments :]
    ]
    return tuple(lines), Told(told.found | {finding.key for finding in fresh}, len(treatments))


def healed(findings: tuple[Finding, ...]) -> tuple[Line, ...]:
    """What is over at the end, at places where nothing else is wrong: dying units that are dead now did not heal."""
    sick = {finding.where for finding in findings if finding.closed is None}
    over = [finding for finding in findings if finding.closed is not None and finding.where not in sick]
    return tuple(Line("healed", f"{finding.name} at {finding.where}, by step {finding.closed}") for finding in over)


def of_finding(finding: Finding, *, brief: bool) -> Iterator[Line]:
    """Symptom, layer, units, first step and cause of one finding."""
    layer = f", fed by layer {finding.layer}" if finding.layer else ""
    yield Line("found", f"{finding.name} at {finding.where}{layer}, since step {finding.step}")
    causes = finding.causes[:1]
    if brief:
        yield from (Line("why", cause.name) for cause in causes)
        return
    yield Line("what", finding.message)
    if finding.units:
        more = len(finding.units) - NAMED
        named = ", ".join(str(unit) for unit in finding.units[:NAMED])
        yield Line("units", f"{named} and {more} more" if more > 0 else named)
    yield from (
        Line("why", f"{cause.name} ({100 * cause.confidence:.0f} % sure). {cause.evidence}") for cause in causes
    )
