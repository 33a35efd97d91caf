"""What counts at a site."""

from __future__ import annotations

from typing import NamedTuple

from limen.kernels.torch_pass import Integers

__all__ = ["Rules"]


class Rules(NamedTuple):
    """What counts at a site.

    Attributes:
        units: how many there are.
        left: ``z <= left`` is flat; None where no such side exists.
        right: ``z >= right`` is flat; None where no such side exists.
        dead_left: whether a unit is dead, not saturated, on the left.
        dead_samples: samples for which a unit must have been silent before it counts as dead.
        dead_steps: steps over which it must have been.
        saturated: share of the samples of a step from which a unit counts as saturated.
        panel: units of which moments and extremes are kept, ``[panel]``, rising; None for all.
    """

    units: int
    left: float | None
    right: float | None
    dead_left: bool
    dead_samples: int
    dead_steps: int
    saturated: float
    panel: Integers | None = None

    @property
    def panel_size(self) -> int:
        """Of how many units moments and extremes are kept."""
        return self.units if self.panel is None else len(self.panel)

    @property
    def bounded(self) -> bool:
        """Whether a unit can be saturated."""
        return not self.dead_left or self.right is not None
