"""The usual look at a site: the one that nearly all the time goes into."""

from __future__ import annotations

import threading
from typing import Protocol

from torch import Tensor, nn

from limen.kernels import Reading
from limen.probe import guard
from limen.probe.guard import Guarded
from limen.probe.meter import Meter
from limen.probe.modes import is_ordinary, unseen
from limen.probe.site_book import Place

__all__ = ["Glance", "Looker"]


class Looker(Guarded, Protocol):
    """Whose time it is, and who takes what is unusual."""

    def gradient(self, place: Place, output: int, gradients: tuple[Tensor | None, ...]) -> None:
        """Enter a gradient in whatever way."""
        ...

    def stumble(self, place: Place, error: Exception) -> None:
        """Hear of an error at one place."""
        ...


class Glance:
    """Reads pre-activations of one form, and their gradients, at a place that is known and settled.

    Does what the ``Meter`` does, as long as nothing is out of the ordinary; ``look`` tells where something is.
    """

    def __init__(self, place: Place, reading: Reading, output: int, meter: Meter, looker: Looker) -> None:
        self._place, self._reading = place, reading
        self._output, self._meter, self._looker = output, meter, looker

    @classmethod
    def of(cls, place: Place, z: Tensor, meter: Meter, looker: Looker) -> Glance | None:
        """For tensors like this one, which the meter has read; None where each needs more than a glance."""
        site = place.record.site
        if not place.settled or place.trouble or place.owner is None or place.squeezed or not z.is_cpu:
            return None
        fits = -z.ndim <= site.axis < z.ndim and z.shape[site.axis] == site.units
        reading = place.record.reading(z) if fits else None
        return None if reading is None else cls(place, reading, z.output_nr, meter, looker)

    def look(self, owner: nn.Module | None, z: Tensor) -> bool:
        """Read a pre-activation and wait for its gradient; False, and nothing done, where that takes more."""
        looker, place = self._looker, self._place
        if looker.busy or looker.closed or place.trouble or not place.owner_is(owner):
            return False
        looker.busy = threading.get_ident()
        began = guard.clock()
        try:
            with unseen():
                node = z.grad_fn
                if node is None or z.output_nr != self._output or not self._meter.is_plain or not self._reading.fits(z):
                    return False
                self._reading.add(z)
                self._meter.count(place, z)
                node.register_prehook(self._hear)
        except Exception as error:
            looker.busy = 0
            looker.stumble(place, error)
        finally:
            looker.busy = 0
            looker.cost += guard.clock() - began
        return True

    def _hear(self, gradients: tuple[Tensor | None, ...]) -> None:
        looker = self._looker
        if looker.busy or looker.closed or not self._enter(looker, gradients[self._output]):
            looker.gradient(self._place, self._output, gradients)

    def _enter(self, looker: Looker, gradient: Tensor | None) -> bool:
        looker.busy = threading.get_ident()
        began = guard.clock()
        try:
            with unseen():
                unusual = self._place.trouble or self._meter.factor is not None or not is_ordinary()
                if unusual or self._meter.is_behind or not self._reading.add_gradient(gradient):
                    return False
        except Exception as error:
            looker.busy = 0
            looker.stumble(self._place, error)
        finally:
            looker.busy = 0
            looker.cost += guard.clock() - began
        return True
