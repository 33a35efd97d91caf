"""The pre-activations of each site at chosen steps, on an axis that is linear near zero and logarithmic far away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from limen.journal import Run
from limen.report.draw import Json
from limen.report.numbers import number, percent
from limen.report.thinning import number_list, rounded
from limen.report.words import samples_of
from limen.vitals import EDGES, Histogram, SiteVitals

__all__ = ["histogram_series"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_STEPS = 16
MOST_HISTOGRAMS = 2_400  # of all sites: 12 steps each for 200 sites
BARS = 72  # the narrowest bar is the range over this
TICKS = 13
MOST_RATIO = 1e4


def histogram_series(run: Run) -> list[Json]:
    """For each site with samples: the bars' edges on the axis, the ticks, the flat sides, and densities per step.

    The axis is ``asinh(z / scale)``, with ``scale`` twice the smallest standard deviation of the steps shown, so that
    a normal distribution looks like one and an exploding tail still fits. A density is the share of the samples per
    unit of that axis: the areas of the bars add to 1.
    """
    most = max(2, min(MOST_STEPS, MOST_HISTOGRAMS // max(len(run.histograms), 1)))
    series = [_series(v, run.histograms[v.site.name], most) for v in run.vitals.sites if v.site.name in run.histograms]
    return [entry for entry in series if entry]


def _series(vitals: SiteVitals, taken: tuple[tuple[int, Histogram], ...], most: int) -> Json | None:
    chosen = _spread([(step, histogram) for step, histogram in taken if histogram.total], most)
    if not chosen:
        return None
    scale = _scale(vitals, chosen)
    edges, bar_of_bin = _bars(np.sum([histogram.counts for _, histogram in chosen], axis=0), scale)
    low, high = float(edges[0]), float(edges[-1])
    widths = np.diff(edges)
    densities: list[object] = []
    for _, histogram in chosen:
        counts = np.bincount(bar_of_bin + 1, weights=histogram.counts, minlength=len(widths) + 2)[1 : len(widths) + 1]
        densities.append(number_list(counts / histogram.total / widths, 3))
    ticks = _ticks(low, high, scale)
    return {
        "site": vitals.site.name,
        "kind": samples_of(vitals.site),
        "edges": number_list(edges, 4),
        "ticks": number_list(np.arcsinh(ticks / scale), 4),
        "labels": [number(float(tick)) for tick in ticks],
        "flat": [_flat(vitals.site.flat_left, scale), _flat(vitals.site.flat_right, scale)],
        "steps": [step for step, _ in chosen],
        "density": densities,
        "captions": [_caption(vitals, step) for step, _ in chosen],
    }


def _spread(taken: list[tuple[int, Histogram]], most: int) -> list[tuple[int, Histogram]]:
    """At most ``most`` of them, evenly by position, the first and the last among them."""
    if len(taken) <= most:
        return taken
    return [taken[index] for index in np.linspace(0, len(taken) - 1, most).round().astype(int)]


def _scale(vitals: SiteVitals, chosen: list[tuple[int, Histogram]]) -> float:
    """Twice the smallest standard deviation of the steps shown, but not so small that the largest lose their shape."""
    history = vitals.history
    rows = [int(np.abs(history.step - step).argmin()) for step, _ in chosen if len(history.step)]
    spreads = history.std[rows]
    spreads = spreads[np.isfinite(spreads) & (spreads > 0)]
    if not len(spreads):
        centres = np.clip(np.abs(EDGES[1:]), 0.0, 2.0**17)
        spreads = np.array([max(float((h.counts * centres).sum() / h.total), 1e-6) for _, h in chosen])
    return 2.0 * max(float(spreads.min()), float(spreads.max()) / MOST_RATIO)


def _bars(counts: Integers, scale: float) -> tuple[Floats, Integers]:
    """Edges of the bars on the axis, and the bar of each bin (-1 and ``bars`` for the empty bins outside).

    Bins are joined where they would be too narrow to see, never across zero.
    """
    # the open bins end an octave further out; the middle bin, |z| < 2**-16, is drawn left of zero
    z = np.concatenate([[-(2.0**17)], EDGES[1:-1], [2.0**17]])
    middle = len(counts) // 2
    z[middle + 1] = 0.0
    axis = np.arcsinh(z / scale)
    filled = np.flatnonzero(counts)
    first, last = int(filled[0]), int(filled[-1])
    narrowest = (axis[last + 1] - axis[first]) / BARS
    bar_of_bin = np.full(len(counts), -1, dtype=np.int64)
    edges = [float(axis[first])]
    for index in range(first, last + 1):
        bar_of_bin[index] = len(edges) - 1
        wide = axis[index + 1] - edges[-1] >= narrowest
        if wide or index == last or (index == middle and edges[-1] < 0):
            edges.append(float(axis[index + 1]))
    bar_of_bin[last + 1 :] = len(edges) - 1
    return np.array(edges), bar_of_bin


def _ticks(low: float, high: float, scale: float) -> Floats:
    """Round numbers, at least a thirteenth of the axis apart, zero first."""
    powers = 10.0 ** np.arange(-5, 6)
    candidates = [0.0, *(sign * factor * p for factor in (1, 5, 2) for p in powers for sign in (1, -1))]
    chosen: list[float] = []
    for tick in candidates:
        place = np.arcsinh(tick / scale)
        near = any(abs(place - np.arcsinh(other / scale)) < (high - low) / TICKS for other in chosen)
        if low <= place <= high and not near:
            chosen.append(tick)
    return np.array(sorted(chosen))


def _flat(limit: float | None, scale: float) -> float | int | None:
    return None if limit is None else rounded(float(np.arcsinh(limit / scale)))


def _caption(vitals: SiteVitals, step: int) -> str:
    history = vitals.history
    if not len(history.step):
        return ""
    row = int(np.abs(history.step - step).argmin())
    if not np.isfinite(history.inactive[row]):
        return "its activity could not be measured"
    spread = f"mean {number(history.mean[row])}, standard deviation {number(history.std[row])}"
    return f"{percent(float(history.inactive[row]))} of {samples_of(vitals.site)} flat; {spread}"
