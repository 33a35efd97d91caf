"""The loss, and what drives it, over the training steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from limen.journal import Run
from limen.report.course import loss_title
from limen.report.draw import POINTS, Band, Figure, Mark, curve, stacked
from limen.report.looks import blind
from limen.report.numbers import printable
from limen.report.order import sorted_findings
from limen.vitals import ParameterVitals

__all__ = ["loss_curves", "losses", "middle_update", "rates"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_MARKS = 4  # of each kind: more words above one figure cannot be told apart
DASHES = ("solid", "dot", "dash", "dashdot")


def loss_curves(run: Run) -> Figure | None:
    """Loss, learning rate and update ratio, one above the other; None where none was recorded."""
    bands = [band for band in (losses(run), rates(run), _updates(run)) if band is not None]
    if not bands:
        return None
    height = 150 + 110 * len(bands)
    return stacked(
        bands,
        _marks(run),
        title=loss_title(run),
        height=height,
        time="chosen",
        last=run.vitals.step,
        blind=blind(run),
    )


def losses(run: Run, *, most: int = POINTS, logarithmic: bool = False) -> Band | None:
    """The loss of each optimiser, with at most ``most`` points each."""
    known = [v for v in run.vitals.losses if np.isfinite(v.value).any()]
    if not known:
        return None
    traces = [
        curve(
            v.step,
            v.value,
            f"loss, {printable(v.function)}",
            dash=DASHES[index % 4],
            most=most,
            logarithmic=logarithmic,
        )
        for index, v in enumerate(known)
    ]
    return Band(traces, "loss", [v.value for v in known])


def rates(run: Run, *, most: int = POINTS, logarithmic: bool = False) -> Band | None:
    """The learning rate of each optimiser, with at most ``most`` points each."""
    known = [v for v in run.vitals.optimisers if np.isfinite(v.learning_rate).any()]
    if not known:
        return None
    traces = [
        curve(
            v.step,
            v.learning_rate,
            f"learning rate of {printable(v.name)}",
            colour="@muted",
            stepped=True,
            dash=DASHES[index % 4],
            most=most,
            logarithmic=logarithmic,
        )
        for index, v in enumerate(known)
    ]
    return Band(traces, "learning rate", [v.learning_rate for v in known])


def middle_update(parameters: tuple[ParameterVitals, ...]) -> tuple[Integers, Floats]:
    """The median update ratio of all weights at each recorded step; empty without any."""
    weights = [v.history for v in parameters if v.parameter.weight and np.isfinite(v.history.update).any()]
    if not weights:
        return np.array([], dtype=np.int64), np.array([])
    steps = np.concatenate([history.step for history in weights])
    ratios = np.concatenate([history.update for history in weights])
    steps, ratios = steps[np.isfinite(ratios)], ratios[np.isfinite(ratios)]
    ordered = np.lexsort((ratios, steps))
    unique, starts = np.unique(steps[ordered], return_index=True)
    middles = [float(np.median(part)) for part in np.split(ratios[ordered], starts[1:])]
    return unique, np.array(middles)


def _updates(run: Run) -> Band | None:
    step, ratio = middle_update(run.vitals.parameters)
    if not len(step):
        return None
    trace = curve(step, ratio, "update ratio, median of all weights", colour="@muted")
    return Band([trace], "update ratio, all weights", [ratio])


def _marks(run: Run) -> list[Mark]:
    begun = [(finding.step, finding.name) for finding in sorted_findings(run)]
    done = [(record.step, record.name) for record in run.treatments]
    near = max(1, run.vitals.step // 30)
    return _joined(begun, near, fault=True) + _joined(done, near, fault=False)


def _joined(events: list[tuple[int, str]], near: int, *, fault: bool) -> list[Mark]:
    """One mark for events less than ``near`` steps apart, named after the first."""
    groups: list[list[tuple[int, str]]] = []
    for event in sorted(events, key=lambda event: event[0]):
        if groups and event[0] - groups[-1][0][0] < near:
            groups[-1].append(event)
        else:
            groups.append([event])
    marks: list[Mark] = []
    for group in groups[:MOST_MARKS]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        marks.append(Mark(group[0][0], f"{printable(group[0][1])}{more}", fault))
    return marks
