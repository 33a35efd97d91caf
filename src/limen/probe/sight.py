"""What steps that are looked at by habit need of all that keeps an account, in few calls."""

from __future__ import annotations

from torch import nn

from limen.probe.eyes import Eyes
from limen.probe.meter import Meter
from limen.probe.optimiser_book import OptimiserBook
from limen.probe.site_book import SiteBook

__all__ = ["Sight"]


class Sight:
    """Closes steps of which glances have entered all there was to see.

    Args:
        eyes: follow a habit.
        sites: whose accounts are closed.
        meter: counts samples.
        optimisers: know what is due after a step.
    """

    def __init__(self, eyes: Eyes, sites: SiteBook, meter: Meter, optimisers: OptimiserBook) -> None:
        self.eyes = eyes
        self._sites = sites
        self._meter = meter
        self._optimisers = optimisers

    @property
    def is_usual(self) -> bool:
        """Whether the next step has nothing to it but glances."""
        return self._meter.is_plain and self.eyes.follows and not self._sites.fresh

    def quiet_steps(self, number: int, step: int) -> int:
        """How many steps, from this one on, have an update and an end like the others."""
        return min(self._meter.plain_steps(step) - 1, self._optimisers.quiet_steps(number, step))

    def counts(self, module: nn.Module, args: tuple[object, ...]) -> bool:
        """Count a batch; False, and nothing done, for what is not given to the model that counts."""
        return self._meter.goes_on(module, args)

    def is_clear(self, number: int) -> bool:
        """Whether the gradients of the last step of an optimiser are gone."""
        return self._optimisers.clearing.is_clear(number)

    def goes_on(self, step: int) -> bool:
        """Close a step and open the next; False, and nothing done, where one of them is not as usual."""
        if not self.eyes.goes_on():
            return False
        self._sites.commit(step)
        self._meter.close_step(step)
        return True
