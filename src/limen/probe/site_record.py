"""The running account of one site: sums of the current step, windows, and what each unit did last."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from torch import Tensor

from limen.kernels import Sums
from limen.probe.rows import Rows
from limen.sites import Site
from limen.vitals import EVIDENCE, Activity, Histogram, Moments, SiteHistory, SiteVitals

__all__ = ["SiteRecord"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COLUMNS = SiteHistory.__annotations__.keys()
MOST_HISTOGRAMS = 24  # kept of a site, spread over the run


class Tally:
    """Sums over some samples, added to in place."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.steps = self.first_step = self.last_step = self.samples = self.nonfinite = 0
        self.left = np.zeros(units, np.int64)
        self.right = np.zeros(units, np.int64)
        self.mean = np.zeros(units)
        self.m2 = np.zeros(units)
        self.low = np.full(units, np.inf)
        self.high = np.full(units, -np.inf)
        self.histogram: Histogram | None = None

    def add(self, part: Part | Tally) -> None:
        """Enter the samples of a part; the mean and its deviations as ``Moments`` add."""
        self.left += part.left
        self.right += part.right
        whole = self.samples + part.samples
        if whole:
            gap = part.mean - self.mean
            self.mean += gap * (part.samples / whole)
            gap *= gap
            gap *= self.samples * part.samples / whole
            self.m2 += part.m2
            self.m2 += gap
        self.samples = whole
        np.fmin(self.low, part.low, out=self.low)
        np.fmax(self.high, part.high, out=self.high)
        self.nonfinite += part.nonfinite

    def close_step(self, number: int) -> None:
        """Count one more training step."""
        self.steps += 1
        self.first_step = self.first_step or number
        self.last_step = number

    def value(self) -> Activity:
        """A copy as a value."""
        return Activity(
            steps=self.steps,
            first_step=self.first_step,
            last_step=self.last_step,
            left=self.left.copy(),
            right=self.right.copy(),
            moments=Moments(self.samples, self.mean.copy(), self.m2.copy()),
            low=self.low.copy(),
            high=self.high.copy(),
            nonfinite=self.nonfinite,
            histogram=self.histogram or Histogram.none(),
        )


class Part:
    """The sums of one tensor, with the mean and the squared deviations that follow from them."""

    __slots__ = ("high", "left", "low", "m2", "mean", "nonfinite", "right", "samples")

    def __init__(self, sums: Sums) -> None:
        self.samples = sums.samples
        self.left, self.right = sums.left, sums.right
        self.low, self.high = sums.low, sums.high
        self.nonfinite = sums.nonfinite
        centre = sums.total / max(sums.samples, 1)
        self.mean = centre + sums.shift
        centre *= sums.total
        self.m2 = np.maximum(np.subtract(sums.squares, centre, out=centre), 0.0, out=centre)
        if sums.nonfinite:  # an infinite mean would depend on the order in which parts are added
            self.mean[~np.isfinite(self.mean)] = np.nan


class SiteRecord:
    """Everything kept about one site; O(units), whatever the number of steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.rows = Rows(len(COLUMNS))
        self.first_nonfinite: int | None = None
        self.histograms: list[tuple[int, Histogram]] = []
        self._step: Part | Tally | None = None
        self._histogram: Histogram | None = None
        self._gradients: list[Tensor] = []
        self._window = Tally(site.units)
        self._before: Activity | None = None  # the last full window
        self._older = Activity.none(site.units)  # all full windows
        self._birth: Activity | None = None
        self._last_active = np.zeros(site.units, np.int64)
        self._silent_steps = np.zeros(site.units, np.int64)
        self._silent_samples = np.zeros(site.units, np.int64)
        self.dead = 0  # units, as of the last step
        self.gradient = math.nan  # L2 norm at the input, at the last step

    def add(self, sums: Sums) -> None:
        """Enter the sums of one call within the current step."""
        with np.errstate(invalid="ignore", over="ignore"):
            part = Part(sums)
            if self._step is None:
                self._step = part
            else:
                tally = self._step if isinstance(self._step, Tally) else Tally(self.site.units)
                if tally is not self._step:
                    tally.add(self._step)
                tally.add(part)
                self._step = tally

    def add_histogram(self, histogram: Histogram) -> None:
        """Enter the histogram of one call within the current step."""
        self._histogram = histogram if self._histogram is None else self._histogram + histogram

    def add_gradient(self, norm: Tensor) -> None:
        """Enter the L2 norm, ``[]``, of the loss gradient at one call's input; read at the end of the step."""
        self._gradients.append(norm)

    def commit(self, step: int) -> None:
        """Close the current step under its number."""
        seen, self._step = self._step, None
        gradients, self._gradients = self._gradients, []
        histogram, self._histogram = self._histogram, None
        if seen is None or seen.samples == 0:
            return
        with np.errstate(invalid="ignore", over="ignore"):
            self._note_activity(seen, step)
            self._window.add(seen)
            self._append_row(seen, gradients, step)
        self._window.close_step(step)
        if seen.nonfinite and self.first_nonfinite is None:
            self.first_nonfinite = step
        if histogram is not None:
            self._keep_histogram(histogram, step)
        if self._window.steps >= EVIDENCE.steps and self._window.samples >= EVIDENCE.samples:
            self._roll()

    def vitals(self) -> SiteVitals:
        """A copy as a value."""
        window = self._window.value()
        return SiteVitals(
            site=self.site,
            birth=self._birth if self._birth is not None else window,
            recent=window if self._before is None else self._before + window,
            total=self._older + window,
            last_active=self._last_active.copy(),
            silent_steps=self._silent_steps.copy(),
            silent_samples=self._silent_samples.copy(),
            history=self._history(),
            first_nonfinite=self.first_nonfinite,
        )

    def _note_activity(self, seen: Part | Tally, step: int) -> None:
        self._silent_steps += 1
        self._silent_samples += seen.samples
        active = seen.left < seen.samples
        self._last_active[active] = step
        self._silent_steps[active] = 0
        self._silent_samples[active] = 0
        self.dead = 0
        if self.site.dead_left:
            silent = (self._silent_samples >= EVIDENCE.samples) & (self._silent_steps >= EVIDENCE.steps)
            self.dead = int(np.count_nonzero(silent))

    def _append_row(self, seen: Part | Tally, gradients: list[Tensor], step: int) -> None:
        site = self.site
        flat = seen.right if site.dead_left else seen.left + seen.right
        saturated = (
            0
            if site.dead_left and site.flat_right is None
            else int(np.count_nonzero(flat >= EVIDENCE.saturated * seen.samples))
        )
        mean = float(seen.mean.mean())
        spread = seen.mean - mean
        variance = float(seen.m2.sum()) / (seen.samples * site.units) + float(spread @ spread) / site.units
        norms = [float(norm) for norm in gradients]
        self.gradient = math.hypot(*norms) if norms else math.nan
        self.rows.append(
            step,
            seen.samples,
            float(seen.left.sum() + seen.right.sum()) / (seen.samples * site.units),
            self.dead,
            saturated,
            mean,
            math.sqrt(variance) if variance >= 0 else math.nan,
            float(seen.low.min()),
            float(seen.high.max()),
            self.gradient,
            seen.nonfinite,
        )

    def _keep_histogram(self, histogram: Histogram, step: int) -> None:
        self.histograms.append((step, histogram))
        if len(self.histograms) > MOST_HISTOGRAMS:
            del self.histograms[1:-1:2]
        held = self._window.histogram
        self._window.histogram = histogram if held is None else held + histogram

    def _roll(self) -> None:
        full, self._window = self._window.value(), Tally(self.site.units)
        self._before = full
        self._older = self._older + full
        if self._birth is None:
            self._birth = full

    def _history(self) -> SiteHistory:
        whole = {"step", "samples", "dead", "saturated", "nonfinite"}
        columns = {name: self.rows.whole(i) if name in whole else self.rows.column(i) for i, name in enumerate(COLUMNS)}
        return SiteHistory(**columns)  # pyright: ignore[reportArgumentType]
