"""Which steps were looked at: the budget may have closed limen's eyes long before a training ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from limen.journal import Run

__all__ = ["Span", "blind", "ending", "last_look"]

Span = tuple[int, int]
"""First and last step of a part of the run, both included."""

NOTABLE = 0.05  # share of the run from which a stretch without a look is shown as one


def last_look(run: Run) -> int:
    """The last step that was looked at; 0 where none was."""
    sites = [vitals.total.last_step for vitals in run.vitals.sites]
    return max([*sites, *(int(steps[-1]) for steps in _recorded(run))], default=0)


def blind(run: Run) -> tuple[Span, ...]:
    """The long stretches in which no step was looked at.

    Histories are thinned, but never to fewer rows than hundreds: so wide a gap is none of their making.
    """
    last = run.vitals.step
    if run.vitals.looked >= last:
        return ()
    steps = np.unique(np.concatenate([[0, last_look(run), last + 1], *_recorded(run)]).astype(np.int64))
    return tuple((a + 1, b - 1) for a, b in pairwise(steps.tolist()) if b - a - 1 > max(NOTABLE * last, 1))


def ending(run: Run) -> str:
    """When the last look was, for a sentence: ``at the end`` or, where that was long before, ``at step 77``."""
    spans = blind(run)
    early = bool(spans) and spans[-1][1] == run.vitals.step
    return f"at step {last_look(run):,}" if early else "at the end"


def _recorded(run: Run) -> Iterator[np.ndarray]:
    for vitals in (*run.vitals.sites, *run.vitals.parameters):
        if len(vitals.history.step):
            yield vitals.history.step
