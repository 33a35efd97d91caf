"""Live handles around a site: the tensors that feed it and the tensors that read it."""

from dataclasses import dataclass

from torch import Tensor

from limen.sites import Site

__all__ = ["Consumer", "Wiring"]


@dataclass(frozen=True, eq=False)
class Consumer:
    """A weight that reads the outputs of a site.

    Attributes:
        name: dotted path of the parameter.
        weight: ``[out, in, …]``, live; its axis 1 reads the units.
        width: entries of axis 1 for each unit: 1, or the number of pixels where a convolution was flattened.
    """

    name: str
    weight: Tensor
    width: int


@dataclass(frozen=True, eq=False)
class Wiring:
    """What stands before and after a site, live.

    Attributes:
        site: its address.
        weight: ``[units, in, …]``, the incoming weights; None where they were not found.
        bias: ``[units]``; None where there is none.
        norm_weight: ``[units]``, scale of a normalisation between layer and site; None where there is none.
        norm_bias: ``[units]``, its shift; None where there is none.
        initial_std: standard deviation of ``weight`` before the first update.
        consumers: all weights that read the site's output; empty where some reader is not a weight (a residual
            addition, a loss), so that the outgoing side cannot be silenced.
    """

    site: Site
    weight: Tensor | None
    bias: Tensor | None
    norm_weight: Tensor | None
    norm_bias: Tensor | None
    initial_std: float
    consumers: tuple[Consumer, ...]
