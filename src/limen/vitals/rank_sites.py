"""One site as several ranks saw it, each on its own samples of the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from limen.vitals.activity import Activity
from limen.vitals.aligned import Aligned, mean_of
from limen.vitals.evidence import EVIDENCE
from limen.vitals.snapshot import SiteHistory, SiteVitals

__all__ = ["merge_sites"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def merge_sites(parts: Sequence[SiteVitals], world: int) -> SiteVitals:
    """What one process would have seen that had all the samples.

    Counts and moments add. A unit was last active when it last was on any rank, so it is dead only where it is dead
    on all. How long it has been silent since is exact until a history is thinned (1,024 rows), and then in
    proportion. Which units were saturated at a single past step is not known any more: the smallest number of any rank
    stands for it.

    Args:
        parts: the site on each rank that has it.
        world: number of ranks of the run, also of those that are missing here.
    """
    last = np.max([part.last_active for part in parts], axis=0)
    each_step = [np.ones_like(part.history.step) for part in parts]
    steps = np.max([_since(last, p, p.silent_steps, rows) for p, rows in zip(parts, each_step, strict=True)], axis=0)
    samples = np.sum([_since(last, part, part.silent_samples, part.history.samples) for part in parts], axis=0)
    nonfinite = [part.first_nonfinite for part in parts if part.first_nonfinite is not None]
    return SiteVitals(
        site=parts[0].site,
        birth=reduce(Activity.alongside, (part.birth for part in parts)),
        recent=reduce(Activity.alongside, (part.recent for part in parts)),
        total=reduce(Activity.alongside, (part.total for part in parts)),
        last_active=last,
        silent_steps=steps,
        silent_samples=samples,
        history=_history(parts, world, (last, steps, samples)),
        first_nonfinite=min(nonfinite, default=None),
    )


def _since(last: Integers, part: SiteVitals, silent: Integers, rows: Integers) -> Integers:
    """How much of a unit's silence on one rank came after it was last active on any.

    Args:
        last: ``[units]``, the step at which that was.
        part: what the rank saw.
        silent: ``[units]``, steps or samples since the unit was active on this rank.
        rows: ``[rows]``, steps or samples of each row of its history.
    """
    passed = np.concatenate([[0], np.cumsum(rows)])
    own, since = (
        passed[-1] - passed[np.searchsorted(part.history.step, step, side="right")] for step in (part.last_active, last)
    )
    share = np.divide(silent, own, out=np.ones(len(last)), where=own > 0)  # above 1 where rows were thinned
    return np.rint(np.where(last == part.last_active, silent, since * share)).astype(np.int64)


def _history(parts: Sequence[SiteVitals], world: int, silence: tuple[Integers, Integers, Integers]) -> SiteHistory:
    histories = [part.history for part in parts]
    rows = Aligned([history.step for history in histories])
    samples = rows.table((h.samples for h in histories), 0.0)
    count = samples.sum(0)

    def average(table: Floats) -> Floats:
        return (np.where(samples > 0, table, 0.0) * samples).sum(0) / count

    with np.errstate(invalid="ignore", over="ignore"):
        means, stds = rows.table(h.mean for h in histories), rows.table(h.std for h in histories)
        mean = average(means)
        std = np.sqrt(average(stds**2 + (means - mean) ** 2))
        gradient = np.sqrt(mean_of(rows.table(h.gradient for h in histories) ** 2) / world)
    return SiteHistory(
        step=rows.step,
        samples=count.astype(np.int64),
        inactive=average(rows.table(h.inactive for h in histories)),
        dead=_dead(rows.step, count, *silence) if parts[0].site.dead_left else np.zeros(len(count), np.int64),
        saturated=np.nanmin(rows.table(h.saturated for h in histories), axis=0, initial=np.inf).astype(np.int64),
        mean=mean,
        std=std,
        low=np.fmin.reduce(rows.table(h.low for h in histories), axis=0),
        high=np.fmax.reduce(rows.table(h.high for h in histories), axis=0),
        gradient=gradient,
        nonfinite=rows.table((h.nonfinite for h in histories), 0.0).sum(0).astype(np.int64),
    )


def _dead(step: Integers, count: Floats, last: Integers, steps: Integers, samples: Integers) -> Integers:
    """``[rows]``, units that were dead by then and are so to the end.

    How many were dead on all ranks at once follows from no count of single ranks, but when a unit fell silent does. One
    that came back to life is left out.

    Args:
        step: ``[rows]``.
        count: ``[rows]``, samples of that step.
        last: ``[units]``, the step at which the unit was last active.
        steps: ``[units]``, steps seen since then; more than there are rows where the history is thinned.
        samples: ``[units]``, samples seen since then.
    """
    passed = np.concatenate([[0.0], np.cumsum(count)])
    begin = np.searchsorted(step, last, side="right")
    silent = (steps >= EVIDENCE.steps) & (samples >= EVIDENCE.samples) & (begin < len(step))
    begin, steps, samples = begin[silent], steps[silent], samples[silent]
    enough_steps = -(-EVIDENCE.steps * (len(step) - begin) // steps)
    needed = passed[begin] + EVIDENCE.samples * (passed[-1] - passed[begin]) / samples
    row = np.maximum(begin + enough_steps, np.searchsorted(passed, needed)) - 1
    return np.cumsum(np.bincount(row, minlength=len(step))[: len(step)]).astype(np.int64)
