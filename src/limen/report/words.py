"""Numbers, names and findings in words, the same in every report."""

import math
import re
from collections.abc import Sequence

from limen.findings import Cause, Finding
from limen.journal import Run
from limen.report.looks import ending
from limen.sites import Site
from limen.vitals import EVIDENCE

__all__ = [
    "amount",
    "bounds",
    "count",
    "headline",
    "number",
    "percent",
    "phrase",
    "printable",
    "reason",
    "samples_of",
    "site_name",
    "tied",
    "undecided",
    "unit_list",
]

PHRASES = {
    "dead-units": "{units} {where} {are} dead",
    "dying-units": "units of {where} are dying",
    "saturated-units": "{units} {where} {are} saturated",
    "vanishing-gradient": "the gradient vanishes before it reaches {where}",
    "exploding-gradient": "the gradient explodes on its way to {where}",
    "exploding-activations": "the activations explode at {where}",
    "non-finite": "values at {where} are no longer finite",
    "not-learning": "the loss does not fall",
    "diverging-loss": "the loss diverges",
    "oscillating-loss": "the loss oscillates",
    "slow-learning": "learning is slow",
    "collapsed-representation": "the representation collapses at {where}",
}
"""What each symptom says in a sentence, in lower case and without a full stop."""

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


def printable(text: str) -> str:
    r"""The text on one line, with control characters (a terminal would obey them) written out.

    >>> printable("fc1\n\x1b[31mred")
    'fc1 \\x1b[31mred'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def tied(text: str) -> str:
    """The text for a page that wraps, with every percent sign tied to its number."""
    return re.sub(r"(?<=\d) %(?!\S)|(?<=\d) %(?=[.,;:)])", "\u00a0%", text)


def number(value: float) -> str:
    """Three significant digits, thousands set apart.

    >>> [number(v) for v in (1200, 0.04217, 3.14e-7, 0.0, float("nan"), -1.5e9)]
    ['1,200', '0.0422', '3.1e-7', '0', 'NaN', '-1.5e9']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == round(value) and abs(value) < 1e7:
        return f"{round(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}"


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage that never rounds up to 100 or down to 0.

    >>> [percent(v) for v in (0.68, 0.9996, 0.0081, 1e-5, 1.0, 0.0)]
    ['68 %', '99.9 %', '0.8 %', '0.001 %', '100 %', '0 %']
    """
    if not math.isfinite(share):
        return "unknown"
    scaled = 100 * share
    if scaled in (0.0, 100.0) or abs(scaled) > 100:
        return f"{scaled:,.0f} %"
    if scaled < 0.1:
        return f"{scaled:.2g} %" if scaled >= 1e-4 else f"{number(scaled)} %"
    if scaled > 99 or scaled < 10:
        return f"{math.floor(10 * scaled + (0.5 if scaled < 99 else 0)) / 10:g} %"
    return f"{scaled:.0f} %"


def amount(value: float, unit: str) -> str:
    """A measured figure with what it is measured in.

    >>> amount(0.68, "share of units"), amount(4e-9, "gradient norm")
    ('68 % of units', '4.0e-9 gradient norm')
    """
    if unit.startswith("share"):
        return f"{percent(value)} {printable(unit.removeprefix('share'))}".rstrip()
    return f"{number(value)} {printable(unit)}".rstrip()


def bounds(finding: Finding) -> str:
    """The figure of a finding beside the limit that it passed, for instance ``68 % of units, limit 10 %``."""
    share = finding.unit.startswith("share")
    limit = percent(finding.limit) if share else number(finding.limit)
    return f"{amount(finding.measured, finding.unit)}, limit {limit}"


def count(many: int, thing: str) -> str:
    """A number with its noun.

    >>> count(1, "site"), count(1200, "step")
    ('1 site', '1,200 steps')
    """
    return f"{many:,} {thing}" if many == 1 else f"{many:,} {thing}s"


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
    """The name of a site in a sentence; with its function where the name is a mere number.

    ``nn.Sequential`` names its members 0, 1, 2.
    """
    name = printable(site.name)
    return name if any(c.isalpha() for c in name) else f"site {name} ({printable(site.function)})"


def samples_of(*sites: Site) -> str:
    """What each unit was evaluated on: samples, or the positions of an image or a sequence; "values" for both.

    A unit axis that is not the last has positions behind it.
    """
    kinds = {"samples" if site.axis == -1 else "positions" for site in sites}
    return kinds.pop() if len(kinds) == 1 else "values"


def phrase(run: Run, finding: Finding) -> str:
    """The finding as a short sentence without its figures, for instance ``87 of 128 units of fc1 are dead``."""
    site = run.vitals.site(finding.where)
    many, total = len(set(finding.units)), site.site.units if site is not None else None
    if not many:
        units = "units of"
    elif total is not None:
        units = f"{many:,} of {count(total, 'unit')} of"
    else:
        units = f"{count(many, 'unit')} of"
    where = site_name(site.site) if site is not None else printable(finding.where) or "the model"
    text = PHRASES.get(finding.symptom or "", "{name} at {where}")
    name = printable(finding.name).replace("-", " ")
    return text.format(units=units, where=where, are="is" if many == 1 else "are", name=name)


def reason(cause: Cause) -> str:
    """The cause as a clause to follow "because"."""
    return REASONS.get(cause.name, f"of {printable(cause.name).replace('-', ' ')}")


def headline(run: Run) -> str:
    """The verdict in one sentence, what a reader in a hurry should know."""
    vitals = run.vitals
    seen = f"{count(len(vitals.sites), 'site')}, {_watched(run)}"
    if run.verdict == "healthy":
        return f"healthy: {seen}"
    if run.verdict == "undecided":
        return undecided(run)
    tally = [(len([f for f in run.open_findings if f.severity == level]), level) for level in ("error", "warning")]
    return f"sick: {', '.join(count(many, level) for many, level in tally if many)}; {seen}"


def _watched(run: Run) -> str:
    """How many steps there were, and how much of them limen saw."""
    steps, looked = count(run.vitals.step, "step"), run.vitals.looked
    if not 0 < looked < run.vitals.step:
        return f"{steps} watched"
    when = ending(run)
    return f"{looked:,} of {steps} looked at" + ("" if when == "at the end" else f", the last {when}")


def undecided(run: Run) -> str:
    """Why there is no verdict, and what would be needed for one."""
    if run.broken:
        return f"undecided: {printable(run.broken)}"
    if not run.vitals.step:
        return "no training step was seen"
    if not run.vitals.sites:
        return f"undecided: no activation function was seen in {count(run.vitals.step, 'step')}"
    return f"undecided: {count(run.vitals.step, 'step')} seen, {EVIDENCE.steps} needed"
