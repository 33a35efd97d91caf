"""Runs the ward: ``make ward``, or ``python -m ward --help``."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ward.cases import Case, cases
from ward.data import lacking
from ward.drawing import digest
from ward.outcome import Outcome
from ward.running import RESULTS, ROOT, cold, warm
from ward.saving import save_results
from ward.score import score, share


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """The cases that were asked for and whose data is there."""
    found = [case for case in cases().values() if arguments.half in ("both", case.half)]
    if arguments.kind != "both":
        found = [case for case in found if (case.fault is not None) == (arguments.kind == "sick")]
    if arguments.only:
        found = [case for case in found if any(part in case.name for part in arguments.only)]
    if arguments.quick:
        found = [case for case in found if case.is_quick]
    for data in sorted({case.recipe.data for case in found}):
        if reason := lacking(data):
            left_out = [case for case in found if case.recipe.data == data]
            found = [case for case in found if case.recipe.data != data]
            print(f"{len(left_out)} cases of {data} left out: {reason}")
    if arguments.sample:
        found = sorted(found, key=lambda case: digest(case.name))[: arguments.sample]
    return found


def told(one: Outcome) -> str:
    """A line on an outcome that is not what it should be; empty for one that is."""
    if one.error:
        return f"FAILED       {one.case}: {one.error.strip().splitlines()[-1]}"
    if one.fault is None:
        return f"false alarm  {one.case}: {', '.join(one.alarms)}" if one.alarms else ""
    if not one.found:
        return f"missed       {one.case}: {', '.join(one.alarms) or 'nothing said'}"
    if one.right != 1:
        return f"cause        {one.case}: {', '.join(one.causes) or 'none'}"
    return ""


def show(outcomes: Sequence[Outcome]) -> None:
    """All figures, of both halves and of each fault."""
    for half in ("tuning", "scored"):
        found = score([one for one in outcomes if one.half == half])
        print(f"\n{half} half")
        print(f"  recall        {found.recall}")
        print(f"  false alarms  {found.false_alarms}")
        print(f"  cause first   {found.first}")
        print(f"  among three   {found.third}")
        print(f"  right remedy  {found.helped}")
        print(f"  told at       {100 * found.step:.1f} % of the run (median)")
        print(f"  no result     {found.failed}")
    by_kind(outcomes, "fault", [one.fault for one in outcomes if one.fault])
    by_kind(outcomes, "architecture", [one.architecture for one in outcomes])
    for peer in dict.fromkeys(peer for one in outcomes for peer in one.peers):
        loud = [(one.fault is not None, bool(one.peers[peer])) for one in outcomes if not one.error]
        print(f"\nrules of {peer}, any alarm")
        print(f"  sick   {share(said for sick, said in loud if sick)}")
        print(f"  sound  {share(said for sick, said in loud if not sick)}")


def by_kind(outcomes: Sequence[Outcome], field: str, kinds: Sequence[str]) -> None:
    """A line for each fault or architecture."""
    print(f"\n{field:<50} {'found':>8} {'cause':>8} {'in three':>8} {'false':>8} {'told at':>8}")
    for kind in dict.fromkeys(kinds):
        found = score([one for one in outcomes if getattr(one, field) == kind])
        shares = (found.recall, found.first, found.third, found.false_alarms)
        counts = " ".join(f"{one.count:>5}/{one.of:<2}" for one in shares)
        print(f"{kind:<50} {counts} {100 * found.step:>6.1f} %")


def main() -> None:
    """Run what was asked for, tell what went wrong, and show the figures."""
    parser = argparse.ArgumentParser(prog="python -m ward", description=__doc__)
    parser.add_argument("--half", choices=("tuning", "scored", "both"), default="both")
    parser.add_argument("--kind", choices=("sick", "sound", "both"), default="both")
    parser.add_argument("--only", nargs="*", metavar="TEXT", help="cases whose name holds one of these")
    parser.add_argument("--sample", type=int, metavar="N", help="N of them, the same each time")
    parser.add_argument("--quick", action="store_true", help="only cases that take about a second")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--warm", action="store_true", help="copy one process instead of starting each anew")
    parser.add_argument(
        "--save",
        nargs="?",
        const=RESULTS,
        type=Path,
        metavar="PATH",
        help=f"write {RESULTS.relative_to(ROOT)}, or PATH",
    )
    arguments = parser.parse_args()
    asked, begun, found = chosen(arguments), time.perf_counter(), dict[str, Outcome]()
    try:
        for one in (warm if arguments.warm else cold)(asked, arguments.jobs):
            found[one.case] = one
            if line := told(one):
                print(line, flush=True)
    except KeyboardInterrupt:
        print(f"\nInterrupted: the figures are of the {len(found)} cases that were done.")
    outcomes = [found[case.name] for case in asked if case.name in found]
    show(outcomes)
    minutes = (time.perf_counter() - begun) / 60
    print(f"\n{len(outcomes)} cases in {minutes:.1f} minutes, {arguments.jobs} at a time")
    if arguments.save is not None:
        about = {"minutes": round(minutes, 1), "jobs": arguments.jobs, "warm": arguments.warm}
        save_results(arguments.save, about, [asdict(one) for one in outcomes])


if __name__ == "__main__":
    main()
