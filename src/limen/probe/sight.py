"""What steps that are looked at by habit need of all that keeps an account, in few calls."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import nn

from limen.probe.eyes import Eyes
from limen.probe.meter import Meter
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.quick import Closing, Stretch
from limen.probe.site_book import SiteBook

__all__ = ["Sight"]

EVERYWHERE_STEPS = 3  # steps after which code outside of modules is looked at only now and then, unless it has sites


class Sight:
    """Opens steps, and closes those of which glances have entered all there was to see.

    Args:
        eyes: follow a habit.
        sites: whose accounts are closed.
        meter: counts samples.
        optimisers: know what is due after a step.

    Attributes:
        state: see ``Meter``.
    """

    def __init__(self, eyes: Eyes, sites: SiteBook, meter: Meter, optimisers: OptimiserBook) -> None:
        self.eyes = eyes
        self._sites = sites
        self._meter = meter
        self._optimisers = optimisers
        self.state = meter.state
        self._closing: Closing | None = None  # what closes the steps of the stretch that goes on

    def open(self, step: int, most: int, *, looking: bool) -> None:
        """Begin a step that is looked at or not, as perhaps so many after it."""
        eyes = self.eyes
        self._meter.open_step(step)
        eyes.everywhere = self._sites.outside or step <= EVERYWHERE_STEPS or self._meter.takes_histogram
        if looking:
            eyes.open(most)
        else:
            eyes.close()

    @property
    def is_usual(self) -> bool:
        """Whether the next step has nothing to it but glances."""
        return self._meter.is_plain and self.eyes.follows and not self._sites.fresh

    @property
    def entry(self) -> weakref.ref[nn.Module] | None:
        """The module whose batches are only counted; None where there is more to them."""
        return self._meter.entry

    def closing(self) -> Callable[[int], bool]:
        """What closes the steps of a stretch: ``goes_on``, or a shorter way to it."""
        follower, habit, shortcut = self.eyes.follower, self.eyes.habit, self._sites.ledger.shortcut
        self._closing = None
        if follower is None or shortcut is None:
            return self.goes_on
        self._closing = Closing(
            follower,
            self.state,
            usual=habit.usual,
            left=habit.left,
            close=shortcut.close,
            ledger=shortcut.ledger,
            lock=self._sites.lock,
            take=self._sites.take,
            otherwise=self.goes_on,
        )
        return self._closing

    def count_in(self, stretch: Stretch | None) -> None:
        """Let a stretch count the batches of models; with None the probe is told of each."""
        if self.eyes.follower is not None:
            self.eyes.follower.stretch = stretch
        self._catch_up()

    def _catch_up(self) -> None:
        """Count the steps that were closed the shorter way."""
        if self._closing is not None:
            steps, samples = self._closing.count()
            self.eyes.habit.count(steps)
            self._meter.samples += samples

    def quiet_steps(self, number: int, step: int) -> int:
        """How many steps, from this one on, have an update and an end like the others."""
        return min(self._meter.plain_steps(step) - 1, self._optimisers.quiet_steps(number, step))

    def goes_on(self, step: int) -> bool:
        """Close a step and open the next; False, and nothing done, where one of them is not as usual."""
        self._catch_up()
        if not self.eyes.habit.goes_on():
            return False
        self._sites.commit(step)
        self._meter.close_step(step)
        return True
