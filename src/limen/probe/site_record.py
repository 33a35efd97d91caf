"""The running account of one site: sums of the current step, windows, and what each unit did last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from limen.kernels import MOST_SAMPLES, Reading, Row, Rules, Sums, account, reading_of
from limen.probe.rows import Room, Rows
from limen.sites import Site
from limen.vitals import EVIDENCE, Activity, Histogram, Moments, SiteHistory, SiteVitals, Whole, panel_of

__all__ = ["SiteRecord"]

Integers = npt.NDArray[np.int64]

COLUMNS = SiteHistory.__annotations__.keys()
MOST_HISTOGRAMS = 24  # kept of a site, spread over the run


@dataclass
class Window:
    """The steps since the last full window."""

    steps: int = 0
    first_step: int = 0
    last_step: int = 0
    histogram: Histogram | None = None
    beyond: Whole | None = None

    def close_step(self, number: int) -> None:
        """Count one more training step."""
        self.steps += 1
        self.first_step = self.first_step or number
        self.last_step = number

    def add(self, row: Row, units: int) -> None:
        """Add what all units of a step did together."""
        count = row.samples * units
        whole = Whole(count, row.mean, row.std * row.std * count, row.low, row.high)
        self.beyond = whole if self.beyond is None else self.beyond + whole


def rules_of(site: Site) -> Rules:
    """What counts at a site."""
    return Rules(
        units=site.units,
        left=site.flat_left,
        right=site.flat_right,
        dead_left=site.dead_left,
        dead_samples=EVIDENCE.samples,
        dead_steps=EVIDENCE.steps,
        saturated=EVIDENCE.saturated,
        panel=panel_of(site.units),
    )


class SiteRecord:
    """Everything kept about one site; O(units), whatever the number of steps."""

    def __init__(self, site: Site, room: Room | None = None) -> None:
        self.site = site
        self.rows = Rows(len(COLUMNS), room=room)
        self.first_nonfinite: int | None = None
        self.histograms: list[tuple[int, Histogram]] = []
        self.dead = 0  # units, as of the last step
        self.gradient = math.nan  # L2 norm at the input, at the last step
        rules = rules_of(site)
        self._account = account(rules)
        self._is_wide = rules.panel_size < rules.units
        self._histogram: Histogram | None = None
        self._gradients: list[float] = []
        self._window = Window()
        self._before: Activity | None = None  # the last full window
        self._older = Activity.none(site.units)  # all full windows
        self._birth: Activity | None = None
        self._known: SiteVitals | None = None  # as of the last commit

    def add(self, z: Tensor) -> None:
        """Enter the pre-activations of one call within the current step."""
        self._account.add(z, self.site.axis)

    def reading(self, z: Tensor) -> Reading | None:
        """A shorter way to ``add`` tensors like this one, where there is one."""
        return reading_of(self._account, z, self.site.axis)

    def add_sums(self, sums: Sums) -> None:
        """Enter what a device has read of one call within the current step."""
        self._account.add_sums(sums)

    def add_histogram(self, histogram: Histogram) -> None:
        """Enter the histogram of one call within the current step."""
        self._histogram = histogram if self._histogram is None else self._histogram + histogram

    def add_gradient(self, norm: float) -> None:
        """Enter the L2 norm of the loss gradient at one call's input."""
        self._gradients.append(norm)

    def commit(self, step: int) -> None:
        """Close the current step under its number."""
        row = self._account.commit(step)
        gradients, self._gradients = self._gradients, []
        histogram, self._histogram = self._histogram, None
        if row is None:
            return
        self._known = None
        self.dead = row.dead
        self.gradient = math.hypot(*gradients) if gradients else math.nan
        self.rows.append(step, *row[:-1], self.gradient, row.nonfinite)
        self._window.close_step(step)
        if self._is_wide:
            self._window.add(row, self.site.units)
        if row.nonfinite and self.first_nonfinite is None:
            self.first_nonfinite = step
        if histogram is not None:
            self._keep_histogram(histogram, step)
        samples = self._account.window.samples
        if (self._window.steps >= EVIDENCE.steps and samples >= EVIDENCE.samples) or samples > MOST_SAMPLES:
            self._roll()

    def vitals(self) -> SiteVitals:
        """A copy as a value; the same one until there is something new."""
        if self._known is None or self._known.site is not self.site:
            self._known = self._copied()
        return self._known

    def _copied(self) -> SiteVitals:
        window = self._seen()
        return SiteVitals(
            site=self.site,
            birth=self._birth if self._birth is not None else window,
            recent=window if self._before is None else self._before + window,
            total=self._older + window,
            last_active=self._account.last_active,
            silent_steps=self._account.silent_steps,
            silent_samples=self._account.silent_samples,
            history=self._history(),
            first_nonfinite=self.first_nonfinite,
        )

    def _seen(self) -> Activity:
        """The current window as a value."""
        window, tally = self._window, self._account.window
        return Activity(
            steps=window.steps,
            first_step=window.first_step,
            last_step=window.last_step,
            left=cast("Integers", tally.left),
            right=cast("Integers", tally.right),
            moments=Moments(tally.samples, tally.mean.copy(), tally.m2.copy()),
            low=tally.low.copy(),
            high=tally.high.copy(),
            nonfinite=tally.nonfinite,
            histogram=window.histogram or Histogram.none(),
            beyond=window.beyond,
        )

    def _keep_histogram(self, histogram: Histogram, step: int) -> None:
        self.histograms.append((step, histogram))
        if len(self.histograms) > MOST_HISTOGRAMS:
            del self.histograms[1:-1:2]
        held = self._window.histogram
        self._window.histogram = histogram if held is None else held + histogram

    def _roll(self) -> None:
        full, self._window = self._seen(), Window()
        self._account.window.clear()
        self._before = full
        self._older = self._older + full
        if self._birth is None:
            self._birth = full

    def _history(self) -> SiteHistory:
        whole = {"step", "samples", "dead", "saturated", "nonfinite"}
        columns = {name: self.rows.whole(i) if name in whole else self.rows.column(i) for i, name in enumerate(COLUMNS)}
        return SiteHistory(**columns)  # pyright: ignore[reportArgumentType]
