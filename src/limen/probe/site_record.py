"""The running account of one site: sums of the current step, windows, and what each unit did last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from limen.kernels import MOST_SAMPLES, Reading, Row, Rules, Sums, account, reading_of
from limen.probe.rows import Room, Rows
from limen.sites import Site
from limen.vitals import (
    EVIDENCE,
    Activity,
    Histogram,
    Later,
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


@dataclass
class Window:
    """The steps since the last full window."""

    steps: int = 0
    first_step: int = 0
    last_step: int = 0
    histogram: Histogram | None = None
    beyond: Whole | None = None

    def add(self, numbers: Integers) -> None:
        """Count some training steps more."""
        self.steps += len(numbers)
        self.first_step = self.first_step or int(numbers[0])
        self.last_step = int(numbers[-1])

    def pool(self, rows: Floats, units: int) -> None:
        """Add what all units did together in some steps."""
        whole = pooled(rows, units)
        self.beyond = whole if self.beyond is None else self.beyond + whole


def pooled(rows: Floats, units: int) -> Whole:
    """All units in some steps together (Chan, Golub & LeVeque 1983); ``[steps, columns]``, see Row."""
    samples, mean, std, low, high = (rows[:, COLUMN[name]] for name in ("samples", "mean", "std", "low", "high"))
    count = units * samples
    with np.errstate(invalid="ignore", over="ignore"):
        centre = float(count @ mean / count.sum())
        m2 = float(count @ (std * std + (mean - centre) ** 2))
    return Whole(int(count.sum()), centre, m2, float(np.fmin.reduce(low)), float(np.fmax.reduce(high)))


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
        self._before: Activity | None = None  # the last full window
        self._earlier: Activity | None = None  # all full windows before that one
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
        self._window.add(numbers)
        if self._is_wide:
            self._window.pool(rows, self.site.units)
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
        window = self._seen()
        recent = (window if self._before is None else self._before + window).lasting()
        last_active, silent_steps, silent_samples = self._silence()
        return SiteVitals(
            site=self.site,
            birth=self._birth if self._birth is not None else recent,
            recent=recent,
            total=recent if self._earlier is None else cast("Activity", Later(self._earlier, recent)),
            last_active=last_active,
            silent_steps=silent_steps,
            silent_samples=silent_samples,
            history=SiteHistory(*[cast("Any", self.rows.table())] * len(COLUMNS)),
            first_nonfinite=self.first_nonfinite,
        )

    def _seen(self) -> Activity:
        """The current window as a value, to be read at once: some of it is the account's own memory."""
        window, tally = self._window, self.account.window
        return Activity(
            steps=window.steps,
            first_step=window.first_step,
            last_step=window.last_step,
            left=cast("Integers", tally.left),
            right=cast("Integers", tally.right),
            moments=Moments(tally.samples, tally.mean, tally.m2),
            low=tally.low,
            high=tally.high,
            nonfinite=tally.nonfinite,
            histogram=window.histogram or Histogram.none(),
            beyond=window.beyond,
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
        held = self._window.histogram
        self._window.histogram = histogram if held is None else held + histogram

    def _roll(self) -> None:
        if self._before is not None:
            self._earlier = self._before if self._earlier is None else (self._earlier + self._before).lasting()
        self._before, self._window = self._seen().lasting(), Window()
        self.account.window.clear()
        if self._birth is None:
            self._birth = self._before
