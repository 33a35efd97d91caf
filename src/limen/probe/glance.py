"""The usual look at a site: the one that nearly all the time goes into."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from limen.probe.ear import ear_for
from limen.probe.guard import Guarded
from limen.probe.quick import COMPILED, Glance
from limen.probe.site_book import Place

__all__ = ["Looker", "glance_for"]


class Looker(Guarded, Protocol):
    """Who takes what is unusual."""

    def gradient(self, place: Place, gradient: Tensor | None) -> None:
        """Enter a gradient in whatever way."""
        ...

    def stumble(self, place: Place, error: Exception) -> None:
        """Hear of an error at one place."""
        ...


def glance_for(place: Place, z: Tensor, looker: Looker, *, is_first: bool) -> Glance | None:
    """A glance that serves in place of the ``Meter`` at tensors like this one, which that has read.

    None where each needs more than a glance. ``is_first`` tells that samples are counted at this place.
    """
    site = place.record.site
    if not (COMPILED and place.settled) or place.trouble or place.owner is None or place.squeezed or not z.is_cpu:
        return None
    fits = -z.ndim <= site.axis < z.ndim and z.shape[site.axis] == site.units
    reading = place.record.reading(z) if fits else None
    if reading is None:
        return None
    try:
        glance = Glance(
            looker.state,
            place,
            z,
            is_first=is_first,
            on_gradient=looker.gradient,
            on_error=looker.stumble,
            **reading._asdict(),
        )
    except ValueError:
        return None
    glance.ear = ear_for(z.output_nr, glance.hear)
    return glance
