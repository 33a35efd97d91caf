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


class Tally:
    """Sums over some steps, added to in place."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.steps = self.first_step = self.last_step = self.samples = self.nonfinite = 0
        self.left = np.zeros(units, np.int64)
        self.right = np.zeros(units, np.int64)
        self.moments = Moments.none(units)
        self.low = np.full(units, np.inf)
        self.high = np.full(units, -np.inf)
        self.histogram: Histogram | None = None

    def add(self, sums: Sums) -> None:
        """Enter the sums of one tensor."""
        self.samples += sums.samples
        self.left += sums.left
        self.right += sums.right
        self.moments = self.moments + Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
        np.fmin(self.low, sums.low, out=self.low)
        np.fmax(self.high, sums.high, out=self.high)
        self.nonfinite += sums.nonfinite

    def merge(self, step: Tally, number: int) -> None:
        """Enter the tally of one whole training step."""
        self.steps += 1
        self.first_step = self.first_step or number
        self.last_step = number
        self.samples += step.samples
        self.left += step.left
        self.right += step.right
        self.moments = self.moments + step.moments
        np.fmin(self.low, step.low, out=self.low)
        np.fmax(self.high, step.high, out=self.high)
        self.nonfinite += step.nonfinite
        if step.histogram is not None:
            self.histogram = step.histogram if self.histogram is None else self.histogram + step.histogram

    def value(self) -> Activity:
        """A copy as a value."""
        return Activity(
            steps=self.steps,
            first_step=self.first_step,
            last_step=self.last_step,
            left=self.left.copy(),
            right=self.right.copy(),
            moments=self.moments,
            low=self.low.copy(),
            high=self.high.copy(),
            nonfinite=self.nonfinite,
            histogram=self.histogram or Histogram.none(),
        )


class SiteRecord:
    """Everything kept about one site; O(units), whatever the number of steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.rows = Rows(len(COLUMNS))
        self.first_nonfinite: int | None = None
        self.histograms: list[tuple[int, Histogram]] = []
        self._step = Tally(site.units)
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
        self._step.add(sums)

    def add_histogram(self, histogram: Histogram) -> None:
        """Enter the histogram of one call within the current step."""
        held = self._step.histogram
        self._step.histogram = histogram if held is None else held + histogram

    def add_gradient(self, norm: Tensor) -> None:
        """Enter the L2 norm, ``[]``, of the loss gradient at one call's input; read at the end of the step."""
        self._gradients.append(norm)

    def commit(self, step: int) -> None:
        """Close the current step under its number."""
        tally, self._step = self._step, Tally(self.site.units)
        gradients, self._gradients = self._gradients, []
        if tally.samples == 0:
            return
        self._note_activity(tally, step)
        self._window.merge(tally, step)
        if tally.nonfinite and self.first_nonfinite is None:
            self.first_nonfinite = step
        if tally.histogram is not None:
            self.histograms.append((step, tally.histogram))
            if len(self.histograms) > MOST_HISTOGRAMS:
                del self.histograms[1:-1:2]
        self._append_row(tally, gradients, step)
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

    def _note_activity(self, tally: Tally, step: int) -> None:
        self._silent_steps += 1
        self._silent_samples += tally.samples
        active = tally.left < tally.samples
        self._last_active[active] = step
        self._silent_steps[active] = 0
        self._silent_samples[active] = 0
        self.dead = 0
        if self.site.dead_left:
            silent = (self._silent_samples >= EVIDENCE.samples) & (self._silent_steps >= EVIDENCE.steps)
            self.dead = int(np.count_nonzero(silent))

    def _append_row(self, tally: Tally, gradients: list[Tensor], step: int) -> None:
        flat = tally.right if self.site.dead_left else tally.left + tally.right
        saturated = int(np.count_nonzero(flat >= EVIDENCE.saturated * tally.samples))
        whole = tally.moments.pooled()
        norms = [float(norm) for norm in gradients]
        self.gradient = math.hypot(*norms) if norms else math.nan
        self.rows.append(
            step,
            tally.samples,
            float(tally.left.sum() + tally.right.sum()) / (tally.samples * tally.units),
            self.dead,
            saturated,
            float(whole.mean[0]),
            float(whole.std[0]),
            float(tally.low.min()),
            float(tally.high.max()),
            self.gradient,
            tally.nonfinite,
        )

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


MOST_HISTOGRAMS = 24
