"""The running account of one site: sums of the current step, windows, and what each unit did last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from limen.kernels import (
    MOST_SAMPLES,
    CompiledKept,
    CompiledTally,
    Kept,
    Reading,
    Row,
    Rules,
    Sums,
    Tally,
    account,
    reading_of,
)
from limen.probe.rows import Room, Rows
from limen.sites import Site
from limen.vitals import (
    EVIDENCE,
    Activity,
    Histogram,
    Moments,
    Narrow,
    OfFew,
    SiteHistory,
    SiteVitals,
    Whole,
    lasting,
    panel_of,
)

__all__ = ["SiteRecord"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COLUMNS = [*SiteHistory.__annotations__]
WHOLE = [COLUMNS.index(name) for name in ("step", "samples", "dead", "saturated", "nonfinite")]
COLUMN = {name: i for i, name in enumerate(Row._fields)}
MOST_HISTOGRAMS = 24  # kept of a site, spread over the run


@dataclass(frozen=True)
class Window:
    """Which steps there are in a window, and what else is kept of them than the account holds."""

    steps: int = 0
    first_step: int = 0
    last_step: int = 0
    histogram: Histogram | None = None

    def __add__(self, other: Window) -> Window:
        """Both, the other one later."""
        steps, first = self.steps + other.steps, self.first_step or other.first_step
        mine, theirs = self.histogram, other.histogram
        histogram = (mine + theirs).lasting() if mine is not None and theirs is not None else mine or theirs
        return Window(steps, first, other.last_step, histogram)


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
        self.rows = Rows(len(COLUMNS), room=room, whole=WHOLE)
        self.first_nonfinite: int | None = None
        self.histograms: list[tuple[int, Histogram]] = []
        self.dead = 0  # units, as of the last step
        self.gradient = math.nan  # L2 norm at the input, at the last step
        rules = rules_of(site)
        self.account = account(rules)
        self._is_wide = rules.panel_size < rules.units
        self._histogram: Histogram | None = None
        self._window = Window()
        self._last = self._full = Window()  # the last full one, and all of them
        self._birth: Activity | None = None
        self._known: SiteVitals | None = None  # as of the last commit

    def add(self, z: Tensor) -> None:
        """Enter the pre-activations of one call within the current step."""
        self.account.add(z, self.site.axis)

    def reading(self, z: Tensor) -> Reading | None:
        """A shorter way to ``add`` tensors like this one, where there is one."""
        return reading_of(self.account, z, self.site.axis)

    def add_sums(self, sums: Sums) -> None:
        """Enter what a device has read of one call within the current step."""
        self.account.add_sums(sums)

    def add_histogram(self, histogram: Histogram) -> None:
        """Enter the histogram of one call within the current step."""
        self._histogram = histogram if self._histogram is None else self._histogram + histogram

    def add_gradient(self, norm: float) -> None:
        """Enter the L2 norm of the loss gradient at one call's input."""
        self.account.add_gradient(norm)

    def commit(self, step: int) -> None:
        """Close the current step under its number."""
        row = self.account.commit(step)
        if row is None:
            self._histogram = None
        else:
            self.enter(np.array([step]), np.array([row]))

    def enter(self, numbers: Integers, rows: Floats) -> None:
        """Enter ``[steps]`` that were closed under these numbers and their ``[steps, columns]``, see Ledger."""
        histogram, self._histogram = self._histogram, None
        last, seen = numbers[-1], rows[:, COLUMN["samples"]] > 0
        if not seen.all():
            numbers, rows = numbers[seen], rows[seen]
        if not len(numbers):
            return
        self._known = None
        self.dead = int(rows[-1, COLUMN["dead"]])
        self.gradient = float(rows[-1, COLUMN["gradient"]])
        self.rows.extend(numbers, rows)
        self._window += Window(len(numbers), int(numbers[0]), int(numbers[-1]))
        if self.first_nonfinite is None and (broken := np.flatnonzero(rows[:, COLUMN["nonfinite"]])).size:
            self.first_nonfinite = int(numbers[broken[0]])
        if histogram is not None and numbers[-1] == last:
            self._keep_histogram(histogram, int(last))
        samples = self.account.window.samples
        if (self._window.steps >= EVIDENCE.steps and samples >= EVIDENCE.samples) or samples > MOST_SAMPLES:
            self._roll()

    def vitals(self) -> SiteVitals:
        """A copy as a value; the same one until there is something new."""
        if self._known is None or self._known.site is not self.site:
            self._known = self._copied()
        return self._known

    def _copied(self) -> SiteVitals:
        sums = self.account
        last_active, silent_steps, silent_samples = self._silence()
        window = self._activity(self._window, sums.window)
        last = None if sums.last is None else self._activity(self._last, sums.last)
        full = None if sums.full is None else self._activity(self._full, sums.full)
        recent = (window if last is None else last + window).lasting()
        if self._birth is None and last is not None and window.steps:
            self._birth = last.lasting()
        return SiteVitals(
            site=self.site,
            birth=self._birth or recent,
            recent=recent,
            total=recent if full is None else (full + window).lasting(),
            last_active=last_active,
            silent_steps=silent_steps,
            silent_samples=silent_samples,
            history=SiteHistory(*[cast("Any", self.rows.table())] * len(COLUMNS)),
            first_nonfinite=self.first_nonfinite,
        )

    def _activity(self, window: Window, sums: Tally | CompiledTally | Kept | CompiledKept) -> Activity:
        """What units did in a window, as a value, to be read at once: some of it is the account's own memory."""
        whole = sums.whole
        return Activity(
            steps=window.steps,
            first_step=window.first_step,
            last_step=window.last_step,
            left=cast("Integers", sums.left),
            right=cast("Integers", sums.right),
            moments=Moments(sums.samples, sums.mean, sums.m2),
            low=sums.low,
            high=sums.high,
            nonfinite=sums.nonfinite,
            histogram=window.histogram or Histogram.none(),
            beyond=Whole(sums.samples * self.site.units, whole.mean, whole.m2, whole.low, whole.high)
            if self._is_wide and sums.samples
            else None,
        )

    def _silence(self) -> list[Integers]:
        """The last active step of each unit, and its silent steps and samples since, for fields kept narrow."""
        which, kinds = self.account.silence.kinds()
        shared = Narrow.of(which).lasting()
        return [cast("Integers", OfFew(lasting(kind), shared)) for kind in kinds]

    def _keep_histogram(self, histogram: Histogram, step: int) -> None:
        histogram = histogram.lasting()
        self.histograms.append((step, histogram))
        if len(self.histograms) > MOST_HISTOGRAMS:
            del self.histograms[1:-1:2]
        self._window += Window(histogram=histogram, last_step=step)

    def _roll(self) -> None:
        """End the window. The first is kept as it was, from when there are two."""
        if self._birth is None and self.account.last is not None:
            self._birth = self._activity(self._last, self.account.last).lasting()
        self.account.roll()
        self._last, self._full, self._window = self._window, self._full + self._window, Window()
