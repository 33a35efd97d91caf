"""Straight pieces whose slopes are drawn or learned: the randomised leaky ReLU and APL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen import activations
from limen.activations import Activation
from limen.activations.learnable_fits import fitted_hinges, shape_named
from limen.errors import InvalidValue
from limen.nn.checks import check_count, check_input
from limen.nn.learnable_channels import Place, along, check_channels, learned, means, refill
from limen.nn.precision import widened

__all__ = ["APL", "RReLU"]


class RReLU(nn.Module):
    """``torch.nn.RReLU``, number for number: a leaky ReLU whose slope is drawn for each element in training.

    In evaluation the slope is the mean, 11/48 by default. With the same seed it draws what torch's module draws.

    Args:
        lower: the smallest slope.
        upper: the largest.

    Source: Xu et al. 2015, arXiv:1505.00853, Sec. 2.4.
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        super().__init__()
        self.first = activations.RReLU(lower, upper)  # which refuses what it cannot take

    @classmethod
    def of(cls, entry: activations.RReLU) -> RReLU:
        """The module of an entry."""
        return cls(entry.lower, entry.upper)

    @property
    def entry(self) -> activations.RReLU:
        """The function in evaluation."""
        return self.first

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with a slope of its own in training."""
        check_input("rrelu", input)
        return F.rrelu(input, self.first.lower, self.first.upper, self.training)

    def extra_repr(self) -> str:
        """The ends of the interval."""
        return f"lower={self.first.lower}, upper={self.first.upper}"


class APL(nn.Module):
    """``f(x) = max(x, 0) + sum_s slopes[s] * max(hinges[s] - x, 0)`` with learned slopes and hinges.

    Args:
        hinges: how many, or where they are at first. A number of them is laid evenly from -2 to 2, one alone at 0.
        init: the name of an elementwise function, or an entry, that the slopes are fitted to between -5 and 5. Right of
            all hinges the function is ``x`` whatever is learned, so fit what is about that. An entry ``APL`` is taken
            as it is, with its hinges.
        num_parameters: 1, or the number of channels.
        axis: of the channels.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        slopes: ``[num_parameters, hinges]``.
        hinges: ``[num_parameters, hinges]``.

    Source: Agostinelli et al. 2014, arXiv:1412.6830, Eq. 1.
    """

    def __init__(
        self,
        hinges: int | Sequence[float] = 5,
        init: str | Activation = "leaky_relu",
        num_parameters: int = 1,
        *,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("APL", "num_parameters", num_parameters)
        shape = shape_named("APL", init)
        self.first = shape if isinstance(shape, activations.APL) else fitted_hinges(shape, _places(hinges))
        self.num_parameters, self.axis = num_parameters, axis
        self.slopes = learned(self.first.slopes, num_parameters, device, dtype)
        self.hinges = learned(self.first.hinges, num_parameters, device, dtype)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        refill(self.slopes, self.first.slopes)
        refill(self.hinges, self.first.hinges)

    @classmethod
    def of(cls, entry: activations.APL) -> APL:
        """A module that begins as an entry."""
        return cls(init=entry)

    @property
    def entry(self) -> activations.APL:
        """The entry of this moment, with the means over the channels."""
        slopes, hinges = means(self.slopes, self.first.slopes), means(self.hinges, self.first.hinges)
        return activations.APL(tuple(slopes), tuple(hinges))

    def penalty(self) -> Tensor:
        """The sum of the squared slopes, to be added to the loss with a weight: nothing else keeps them small."""
        return self.slopes.square().sum()

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the numbers of its channel."""
        check_channels("apl", input, self.num_parameters, self.axis)
        x, slopes, hinges = widened(input, self.slopes, self.hinges)
        y = torch.relu(x)
        for slope, hinge in zip(slopes.unbind(-1), hinges.unbind(-1), strict=True):
            y = y + along(slope, x, self.axis) * torch.relu(along(hinge, x, self.axis) - x)
        return y.to(input.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"hinges={len(self.first.hinges)}, num_parameters={self.num_parameters}, axis={self.axis}"


def _places(hinges: int | Sequence[float]) -> Sequence[float]:
    """Where the hinges are at first."""
    if isinstance(hinges, str) or (not isinstance(hinges, int) and not len(hinges)):
        raise InvalidValue(f"APL(hinges={hinges!r}): expected a number of hinges, or their places.")
    if not isinstance(hinges, int):
        return hinges
    check_count("APL", "hinges", hinges)
    return np.linspace(-2, 2, hinges).tolist() if hinges > 1 else [0.0]
