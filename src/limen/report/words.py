"""Names and findings in words, the same in every report."""

import re
from collections.abc import Sequence

from limen.findings import Cause, Finding, words
from limen.findings.output_fit import CLIMB, MISFIT
from limen.journal import Run
from limen.report.numbers import amount, count, number, percent, printable
from limen.sites import Site

__all__ = [
    "bounds",
    "evidence",
    "phrase",
    "place_name",
    "places",
    "reason",
    "samples_of",
    "site_name",
    "spread",
    "tied",
    "unit_list",
]

LONGEST_ROW = 64  # characters of names in a row within a sentence

PHRASES = {
    "dead-units": ("{units} {where} {are} dead", "{units} {where} {were} dead"),
    "dying-units": ("units of {where} are dying", "units of {where} were dying"),
    "saturated-units": ("{units} {where} {are} saturated", "{units} {where} {were} saturated"),
    "vanishing-gradient": (
        "the gradient vanishes before it reaches {where}",
        "the gradient vanished before it reached {where}",
    ),
    "exploding-gradient": (
        "the gradient explodes on its way to {where}",
        "the gradient exploded on its way to {where}",
    ),
    "exploding-activations": ("the activations explode at {where}", "the activations exploded at {where}"),
    "non-finite": ("values at {where} are no longer finite", "values at {where} were not finite"),
    "not-learning": ("the loss does not fall", "the loss did not fall"),
    "diverging-loss": ("the loss diverges", "the loss diverged"),
    "oscillating-loss": ("the loss oscillates", "the loss oscillated"),
    "slow-learning": ("learning is slow", "learning was slow"),
    "collapsed-representation": ("the representation collapses at {where}", "the representation collapsed at {where}"),
}
"""What each symptom says in a sentence, and when it is over; in lower case and without a full stop."""

FACTS = {
    "learning-rate-too-high": ("the learning rate is too high", "the learning rate was too high"),
    "learning-rate-too-low": ("the learning rate is too low", "the learning rate was too low"),
    "missing-activation": ("an activation is missing before {where}", "an activation was missing before {where}"),
    "unscaled-inputs": ("the inputs are not scaled", "the inputs were not scaled"),
    "unscaled-targets": ("the targets are not scaled", "the targets were not scaled"),
    "missing-zero-grad": ("gradients are not set back to zero", "gradients were not set back to zero"),
    "no-gradient-path": ("some layers are not trained", "some layers were not trained"),
    "excess-dropout": ("too much is dropped out at {where}", "too much was dropped out at {where}"),
    "loss-numerics": ("the loss is computed in an unstable way", "the loss was computed in an unstable way"),
    CLIMB: ("the loss is climbed, not descended", "the loss was climbed, not descended"),
    MISFIT: ("the output does not fit the loss", "the output did not fit the loss"),
}
"""What a cause that is seen by itself says in a sentence; by its name, or by the unit that tells its form."""

REASONS = {
    "learning-rate-too-high": "the learning rate is too high",
    "learning-rate-too-low": "the learning rate is too low",
    "bad-initialisation": "the weights began at the wrong scale",
    "bad-bias": "the biases keep the units silent",
    "saturating-activation": "the activation function saturates",
    "wrong-activation": "the activation function does not suit this place",
    "missing-activation": "an activation function is missing",
    "output-loss-mismatch": "the output does not fit the loss",
    "unscaled-inputs": "the inputs are not scaled",
    "unscaled-targets": "the targets are not scaled",
    "missing-zero-grad": "gradients are never set back to zero",
    "no-gradient-path": "no gradient can reach these weights",
    "too-deep-without-normalisation": "the network is deep and has no normalisation",
    "unbounded-recurrence": "the recurrence is not bounded",
    "loss-numerics": "the loss is computed in an unstable way",
    "excess-dropout": "too much is dropped out",
    "normalisation-misuse": "the normalisation is not used as it should be",
    "dead-from-start": "the units were dead from the start",
}
"""What each cause says in a sentence, after "because"."""


YES_OR_NO = (MISFIT, "untouched statistics")
"""Units of findings that are counted as one, and have no size."""


def evidence(cause: Cause, finding: Finding) -> str:
    """What speaks for a cause, without what the message of the finding, told just before, has said already."""
    said = finding.message.removesuffix(".")
    if not said or not cause.evidence.startswith((f"{said};", f"{said}.")):
        return "" if cause.evidence == finding.message else cause.evidence
    more = cause.evidence[len(said) + 1 :].lstrip()
    return more[:1].upper() + more[1:]


def tied(text: str) -> str:
    """The text for a page that wraps, with every percent sign tied to its number."""
    return re.sub(r"(?<=\d) %(?!\S)|(?<=\d) %(?=[.,;:)])", "\u00a0%", text)


def bounds(finding: Finding) -> str:
    """The figure of a finding beside the limit that it passed, for instance ``68 % of units, limit 10 %``.

    Empty for what is so or is not: of that there is nothing to measure.
    """
    if finding.unit in YES_OR_NO:
        return ""
    share = finding.unit.startswith("share")
    limit = percent(finding.limit) if share else number(finding.limit)
    return f"{amount(finding.measured, finding.unit)}, limit {limit}"


def unit_list(units: Sequence[int], total: int | None, *, most: int = 6) -> str:
    """Unit indices as ranges, shortened.

    Args:
        units: indices, in any order.
        total: units of the site; None where it is not known.
        most: ranges to write before ``…``.

    >>> unit_list([3, 7, 8, 9, 12], 128)
    '3, 7–9, 12 (5 of 128)'
    >>> unit_list(range(128), 128)
    'all 128'
    """
    if total is not None and len(set(units)) == total:
        return f"all {total:,}"
    ranges: list[tuple[int, int]] = []
    for unit in sorted(set(units)):
        if ranges and unit == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], unit)
        else:
            ranges.append((unit, unit))
    written = ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges[:most])
    more = " …" if len(ranges) > most else ""
    return f"{written}{more} ({len(set(units)):,}{f' of {total:,}' if total is not None else ''})"


def site_name(site: Site) -> str:
    """The name of a site in a sentence, on one line."""
    return printable(site.title)


def place_name(run: Run, where: str) -> str:
    """The name of the place of a finding in a sentence."""
    vitals = run.vitals.site(where)
    return site_name(vitals.site) if vitals is not None else printable(where) or "the model"


def samples_of(*sites: Site) -> str:
    """What units were evaluated on: samples, or the positions of an image or a sequence; "values" for both."""
    kinds = {words.samples_of(site) for site in sites}
    return kinds.pop() if len(kinds) == 1 else "values"


def phrase(run: Run, *findings: Finding) -> str:
    """Findings of one symptom as a short sentence without their figures.

    For instance ``87 of 128 units of fc1 are dead``; in the past where they are over.
    """
    first, many = findings[0], sum(len(set(finding.units)) for finding in findings)
    sites = [run.vitals.site(finding.where) for finding in findings]
    total = sum(vitals.site.units if vitals is not None else 0 for vitals in sites)
    if not many:
        units = "units of"
    elif None not in sites:
        units = f"{many:,} of {count(total, 'unit')} of"
    else:
        units = f"{count(many, 'unit')} of"
    plain = ("{name} at {where}", "{name} at {where}")
    now, past = PHRASES.get(first.name) or FACTS.get(first.unit) or FACTS.get(first.name) or plain
    return (now if first.closed is None else past).format(
        units=units,
        where=places(run, findings),
        are="is" if many == 1 else "are",
        were="was" if many == 1 else "were",
        name=printable(first.name).replace("-", " "),
    )


def places(run: Run, findings: Sequence[Finding], *, most: int = 4) -> str:
    """Where they are, in a row: ``fc1, fc2 and 3 more``, or ``12 layers`` where their names are too long for that."""
    named = [place_name(run, finding.where) for finding in findings]
    if len(named) > most:
        named = [*named[: most - 1], f"{len(named) - most + 1:,} more"]
    row = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return spread(findings) if len(named) > 1 and len(row) > LONGEST_ROW else row


def spread(findings: Sequence[Finding]) -> str:
    """How wide they are: ``3 layers``, or places where not each is of a layer of its own."""
    layers = {finding.layer for finding in findings}
    return count(len(findings), "layer" if None not in layers and len(layers) == len(findings) else "place")


def reason(cause: Cause) -> str:
    """The cause as a clause to follow "because"."""
    return REASONS.get(cause.name, f"of {printable(cause.name).replace('-', ' ')}")
