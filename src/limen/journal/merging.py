"""The journals of several ranks as one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from limen.errors import InvalidValue, UnreadableJournal
from limen.findings import Finding, diagnose, track
from limen.journal.reader import read
from limen.journal.run import Run
from limen.ranks import Ranks
from limen.vitals import Histogram, matched, merge_ranks, site_key

__all__ = ["merge", "read_all", "with_rank_note"]

TOGETHER = 600.0  # seconds between the starts of two ranks; a later one belongs to a restart or to the next run


def read_all(paths: Sequence[Path]) -> Run:
    """The run that is kept in these journals and folders of journals.

    A damaged journal in a folder is left out and named in the notes: a rank that crashed may have left it.

    Raises:
        UnreadableJournal: none is there, or one that was named cannot be read (also an ``OSError``).
        InvalidValue: they are of different runs (also a ``ValueError``).
    """
    found: dict[str, Run] = {}
    notes: list[str] = []
    for path in paths:
        if not path.is_dir():
            found[str(path)] = read(path)
            continue
        for inside in sorted(path.glob("*.limen")):
            try:
                found[str(inside)] = read(inside)
            except UnreadableJournal as error:
                notes.append(str(error))
    if not found:
        raise UnreadableJournal(
            f"limen report {' '.join(map(str, paths))}: found no journal that can be read. "
            f"{notes[0] if notes else 'Journals end in .limen; name one, or the folder they are in.'}"
        )
    run = merge(list(found.values()), list(found))
    return replace(run, vitals=replace(run.vitals, notes=(*run.vitals.notes, *notes)))


def merge(runs: Sequence[Run], names: Sequence[str] = ()) -> Run:
    """One run from the journals of its ranks, in any order; ``merge_ranks`` says how what they saw adds up.

    What is found is found anew on the whole. A single run is returned as it is, but for a note that others are missing.

    Args:
        runs: one of each rank, as they were read.
        names: what to call them in an error.

    Raises:
        InvalidValue: they are not of one run (also a ``ValueError``).
    """
    if len(runs) == 1:
        return with_rank_note(runs[0])
    named = dict(zip(names or [f"run {number}" for number in range(1, len(runs) + 1)], runs, strict=True))
    world = _must_be_ranks(named).world
    ranked = sorted(runs, key=_rank)
    _must_have_one_model(dict(sorted(named.items(), key=lambda item: _rank(item[1]))))
    vitals = merge_ranks([run.vitals for run in ranked], world)
    found = [finding for run in ranked for finding in run.findings]
    closed = {finding.key: finding for finding in found if finding.closed is not None}
    present = tuple(map(_rank, ranked))
    codes = [run.exit_code for run in ranked]
    early = [
        f"The journal of rank {_rank(run)} ends at step {run.vitals.step:,}: it was killed there, or is still running."
        for run in ranked
        if not run.finished
    ]
    return with_rank_note(
        replace(
            ranked[0],
            started=min(run.started for run in ranked),
            seconds=max(run.seconds for run in ranked),
            spent=max(run.spent for run in ranked),
            finished=len(present) == world and all(run.finished for run in ranked),
            exit_code=next((code for code in codes if code), None if None in codes else 0),
            broken="; ".join(f"rank {_rank(run)}: {run.broken}" for run in ranked if run.broken),
            ranks=Ranks(_ranks(ranked[0]).run, world, present),
            vitals=replace(vitals, notes=(*early, *vitals.notes)),
            findings=_told_first(track(tuple(closed.values()), diagnose(vitals), vitals.step), found),
            treatments=tuple(treatment for run in ranked for treatment in run.treatments),
            histograms=_histograms(ranked),
        )
    )


def _told_first(findings: Sequence[Finding], found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each as known since the earliest step at which a rank knew it; what only the whole shows, since now."""
    told: dict[str, int] = {}
    for one in found:
        if one.told is not None:
            told[one.key] = min(one.told, told.get(one.key, one.told))
    return tuple(replace(one, told=told.get(one.key, one.told)) for one in findings)


def with_rank_note(run: Run) -> Run:
    """The run with a note on which ranks of how many saw it; as it is where it has only one process."""
    if run.ranks is None:
        return run
    present, world = run.ranks.present, run.ranks.world
    if len(present) == world:
        note = f"Merged from all {world} ranks."
    elif len(present) == 1:
        note = f"Rank {present[0]} of {world}: what the other ranks saw is in their own journals."
    else:
        missing = ", ".join(str(rank) for rank in range(world) if rank not in present)
        note = f"{len(present)} of {world} ranks: nothing is known of rank {missing}."
    return replace(run, vitals=replace(run.vitals, notes=(note, *run.vitals.notes)))


def _ranks(run: Run) -> Ranks:
    return run.ranks or Ranks("", 1, (0,))


def _rank(run: Run) -> int:
    return _ranks(run).present[0]


def _must_be_ranks(named: Mapping[str, Run]) -> Ranks:
    """Refuse what was not started together as one run, or is there twice."""
    (first_name, first), *others = named.items()
    for name, run in others:
        for what, one, other in _identity(first, run):
            if one != other:
                raise _refusal(first_name, name, f"{what} {one} and {other}")
        if run.ranks is None:
            raise _refusal(first_name, name, "each is of a training of one process, a run of its own")
        if abs(run.started - first.started) > TOGETHER:
            raise _refusal(first_name, name, f"they started {abs(run.started - first.started):,.0f} s apart")
    for name, run in named.items():
        if len(_ranks(run).present) > 1:
            raise _refusal(first_name, name, f"{name} is merged already")
    twice, count = Counter(map(_rank, named.values())).most_common(1)[0]
    if count > 1:
        again = [name for name, run in named.items() if _rank(run) == twice]
        raise _refusal(again[0], again[1], f"both are of rank {twice}")
    return _ranks(first)


def _identity(one: Run, other: Run) -> list[tuple[str, object, object]]:
    """What the ranks of one run have in common. Arguments are not among it: some launchers pass each its number."""
    a, b = _ranks(one), _ranks(other)
    return [
        ("they ran the scripts", one.script, other.script),
        ("they are of runs of so many processes:", a.world, b.world),
        ("they are of the runs", repr(a.run), repr(b.run)),
    ]


def _must_have_one_model(named: Mapping[str, Run]) -> None:
    sizes: dict[object, tuple[str, int]] = {}
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, run in named.items():
        for seen in run.vitals.sites:
            known, units = sizes.setdefault(site_key(seen), (name, seen.site.units))
            if units != seen.site.units:
                raise _refusal(known, name, f"{seen.site.name} has {units} units and {seen.site.units}")
        for seen in run.vitals.parameters:
            parameter = seen.parameter
            known, shape = shapes.setdefault(parameter.name, (name, parameter.shape))
            if shape != parameter.shape and parameter.shards == 1:
                raise _refusal(known, name, f"{parameter.name} has the shapes {shape} and {parameter.shape}")


def _refusal(one: str, other: str, why: str) -> InvalidValue:
    return InvalidValue(
        f"The journals {one} and {other} are not of ranks of one run: {why}. "
        "Name only the journals of one run, or a folder with no others in it."
    )


def _histograms(ranked: Sequence[Run]) -> dict[str, tuple[tuple[int, Histogram], ...]]:
    """By the name that the site has in the merged run; at each step the counts of all ranks that took one."""
    found: dict[str, tuple[tuple[int, Histogram], ...]] = {}
    sites = matched(([(run, seen) for seen in run.vitals.sites] for run in ranked), lambda entry: site_key(entry[1]))
    for parts in sites:
        taken: dict[int, Histogram] = {}
        for run, seen in parts:
            for step, histogram in run.histograms.get(seen.site.name, ()):
                taken[step] = taken.get(step, Histogram.none()) + histogram
        if taken:
            found[parts[0][1].site.name] = tuple(sorted(taken.items(), key=lambda entry: entry[0]))
    return found
