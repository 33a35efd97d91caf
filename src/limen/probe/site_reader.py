"""What is done at a site as the eyes come by it."""

from __future__ import annotations

from torch import Tensor

from limen.probe.glance import Looker, glance_for
from limen.probe.meter import Meter
from limen.probe.modes import is_ordinary
from limen.probe.quick import Glance
from limen.probe.seen import Seen
from limen.probe.site_book import Place, SiteBook
from limen.probe.troubles import Troubles

__all__ = ["SiteReader"]


class SiteReader:
    """Finds the sites of activations and reads what comes by there. An error at one of them leaves the others alone.

    Args:
        sites: where they are entered.
        meter: what reads them.
        troubles: take an error where no site could be found.
        glances: of the eyes, where those are put that do from now on.
        looker: is told of gradients, of errors at a site, and of what a glance is not enough for.
    """

    def __init__(
        self,
        sites: SiteBook,
        meter: Meter,
        troubles: Troubles,
        glances: dict[tuple[int, str, int], Glance],
        looker: Looker,
    ) -> None:
        self._sites = sites
        self._meter = meter
        self._troubles = troubles
        self._glances = glances
        self._looker = looker

    def read(self, seen: Seen) -> Place | None:
        """Read a pre-activation; the place, where it is to be known what comes of that."""
        try:
            place = self._sites.find(seen)
        except Exception as error:
            self._troubles.meet(error, f"A {seen.activation.name} is not watched ({type(error).__name__}: {error}).")
            return None
        if place is None or place.trouble:
            return None
        try:
            self._meter.read(place, seen.z, self._looker.gradient)
            if seen.applied is None:
                self._make_glance(place, seen)
        except Exception as error:
            self._looker.stumble(place, error)
        return None if place.settled or place.trouble else place

    def _make_glance(self, place: Place, seen: Seen) -> None:
        glance = glance_for(place, seen.z, self._looker, is_first=self._meter.is_first(place))
        if glance is not None:
            self._glances[id(seen.owner), seen.activation.name, seen.call] = glance

    def hear(self, place: Place, gradient: Tensor | None) -> None:
        """Enter the gradient at a site's input."""
        if place.trouble or not is_ordinary():
            return
        try:
            self._meter.read_gradient(place, gradient)
        except Exception as error:
            self._looker.stumble(place, error)
