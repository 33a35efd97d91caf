"""Writes ``docs/ward.md`` from what the last ward found: ``python -m ward.write``."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ward.cases import cases
from ward.harm import RESULTS as HARM
from ward.outcome import Outcome
from ward.reasons import FALSE_ALARM, REASONS
from ward.running import RESULTS, ROOT
from ward.score import Score, Share, score, share

__all__ = ["PAGE", "made", "page"]

PAGE = ROOT / "docs" / "ward.md"
TEXT = ROOT / "docs" / "ward.in"


def page(results: dict[str, Any], harm: Sequence[dict[str, Any]], text: str) -> str:
    """The page: ``text`` with the tables after it."""
    outcomes = [Outcome(**one) for one in results["outcomes"]]
    return "\n".join([text.rstrip(), "", *figures(results, outcomes), *side_by_side(outcomes, harm), *missed(outcomes)])


def figures(results: dict[str, Any], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Everything that is measured of limen."""
    way = "copied from one process" if results["warm"] else "each in a Python of its own"
    yield "## Figures"
    yield ""
    yield f"{len(outcomes)} of the {len(cases())} trainings, {way}, {results['jobs']} at a time: "
    yield f"{results['minutes']} minutes."
    yield "Intervals are of 95 % (Wilson)."
    yield ""
    halves = {half: score([one for one in outcomes if one.half == half]) for half in ("tuning", "scored")}
    yield from table(("", "tuning half", "only scored"), [
        ("sick, and found", *(shown(one.recall) for one in halves.values())),
        ("right cause first", *(shown(one.first) for one in halves.values())),
        ("right cause among three", *(shown(one.third) for one in halves.values())),
        ("right remedy named", *(shown(one.helped) for one in halves.values())),
        ("sound, with an alarm", *(shown(one.false_alarms) for one in halves.values())),
        ("told at, median share of the run", *(told_at(one) for one in halves.values())),
    ])  # fmt: skip
    if failed := [one.case for one in outcomes if one.error]:
        yield f"{len(failed)} without a result: {', '.join(failed)}."
        yield ""
    for title, field in (("fault", "fault"), ("architecture", "architecture")):
        kinds = list(dict.fromkeys(getattr(one, field) for one in outcomes if getattr(one, field)))
        yield f"## By {title}"
        yield ""
        heads = (title, "found", "cause first", "among three", "told at")
        yield from table(
            heads if field == "fault" else (*heads, "false alarms"),
            [row(kind, [one for one in outcomes if getattr(one, field) == kind], field) for kind in kinds],
        )


def row(kind: str, outcomes: Sequence[Outcome], field: str) -> tuple[str, ...]:
    found = score(outcomes)
    cells = (kind, *(f"{one.count}/{one.of}" for one in (found.recall, found.first, found.third)), told_at(found))
    return cells if field == "fault" else (*cells, f"{found.false_alarms.count}/{found.false_alarms.of}")


def side_by_side(outcomes: Sequence[Outcome], harm: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Any alarm of limen and of the rules of other tools, and what was measured without any of them."""
    ran = [one for one in outcomes if not one.error]
    yield "## Beside other tools"
    yield ""
    yield "Here any alarm counts as a hit, whether or not it names what is wrong: other tools have words of their own."
    yield ""
    rows = [loud("limen", [(one.fault is not None, bool(one.alarms)) for one in ran])]
    for peer in dict.fromkeys(peer for one in ran for peer in one.peers):
        rows.append(loud(f"rules of {peer}, restated", [(one.fault is not None, bool(one.peers[peer])) for one in ran]))
    checked = [one for one in harm if one["torchdiag"] is not None]
    if checked:
        name = "torchdiag 0.1.0, after the last step"
        rows.append(loud(name, [(one["fault"] is not None, bool(one["torchdiag"])) for one in checked]))
    yield from table(("", "sick, with an alarm", "sound, with an alarm"), rows)
    yield "## Sick and sound, by measurement"
    yield ""
    why = Counter((one["why"], one["fault"] is not None) for one in harm)
    yield f"Of {sum(one['fault'] is not None for one in harm)} faulty trainings, against their twins:"
    yield ""
    yield from table(("", "trainings"), [(name, str(count)) for (name, sick), count in why.most_common() if sick])
    learns = sum(one["holds"] for one in harm if one["fault"] is None)
    yield f"Of {sum(one['fault'] is None for one in harm)} sound trainings {learns} learn."
    yield ""


def loud(name: str, said: Sequence[tuple[bool, bool]]) -> tuple[str, ...]:
    sick, sound = (share(alarm for is_sick, alarm in said if is_sick == kind) for kind in (True, False))
    return name, shown(sick), shown(sound)


def missed(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Every miss with the reason of its fault, and every false alarm with what was said."""
    ran = [one for one in outcomes if not one.error]
    yield "## Missed"
    yield ""
    for fault in dict.fromkeys(one.fault for one in ran if one.fault):
        cases = [one for one in ran if one.fault == fault and not one.found]
        if cases:
            yield f"**{fault}.** {REASONS[fault]}"
            yield ""
            for one in cases:
                yield f"* {one.case}: {', '.join(dict.fromkeys(one.alarms)) or 'nothing said'}"
            yield ""
    yield "## False alarms"
    yield ""
    yield FALSE_ALARM
    yield ""
    for one in ran:
        if one.fault is None and one.alarms:
            yield f"* {one.case}: {', '.join(dict.fromkeys(one.alarms))}"
    yield ""


def shown(found: Share) -> str:
    if not found.of:
        return "–"
    low, high = found.interval
    return f"{found.count} of {found.of}, {100 * found.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def told_at(found: Score) -> str:
    return "–" if math.isnan(found.step) else f"{100 * found.step:.1f} %"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' --- |' * (len(heads) - 1)}"
    for cells in rows:
        yield f"| {' | '.join(cells)} |"
    yield ""


def made() -> str:
    """The page of the saved results."""
    results, harm = (json.loads(path.read_text()) for path in (RESULTS, HARM))
    return page(results, harm, TEXT.read_text())


def main() -> None:
    """Write the page."""
    PAGE.write_text(made())


if __name__ == "__main__":
    main()
