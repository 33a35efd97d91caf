"""The leaky rectifier whose slope is learned, with the state of torch's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.activations import Activation
from limen.activations.from_module import mean_slope
from limen.errors import InvalidValue
from limen.nn.applying import check_input
from limen.nn.entries import entry_of

__all__ = ["PReLU", "prelu"]


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``torch.nn.functional.prelu``, which is exact already, with a check of the channels.

    Args:
        input: ``[samples, channels, ...]``, or any shape where there is one slope.
        weight: ``[channels]`` or ``[1]``, the slopes on the left.

    Raises:
        WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
        InvalidValue: there are not as many slopes as channels (also a ``ValueError``).
    """
    check_input("prelu", input)
    if weight.ndim > 1:
        raise InvalidValue(f"prelu(weight of shape {list(weight.shape)}): expected one axis: a slope for each channel.")
    slopes = weight.numel()
    channels = 1 if input.ndim < 2 else input.shape[1]
    if slopes not in (1, channels):
        what = f"{channels} channels, the second axis of {list(input.shape)}" if input.ndim > 1 else "no channel axis"
        raise InvalidValue(
            f"prelu(weight of {slopes} slopes): the input has {what}. Give it that many slopes, or a single one: "
            f"PReLU(num_parameters={channels})."
        )
    return F.prelu(input, weight)


class PReLU(nn.Module):
    """``torch.nn.PReLU``: ``f(x) = x`` for ``x > 0``, else ``weight * x``; loads its state and is loaded by it.

    Do not let weight decay act on it: that pulls the slopes to 0.

    Args:
        num_parameters: 1, or the number of channels, which are the second axis of the input.
        init: the slopes at first, finite.
        device: of the slopes.
        dtype: of the slopes.

    Source: He et al. 2015, arXiv:1502.01852, Eq. 1.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(num_parameters, int) or isinstance(num_parameters, bool) or num_parameters < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"PReLU(num_parameters={num_parameters!r}): expected 1, or the number of channels.")
        if not isinstance(init, int | float) or not math.isfinite(init):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(f"PReLU(init={init!r}): expected a finite number.")
        self.num_parameters = num_parameters
        self.init = init
        self.weight = nn.Parameter(torch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin again with ``init``."""
        nn.init.constant_(self.weight, self.init)

    @property
    def entry(self) -> Activation:
        """The entry with the mean of the slopes of this moment; 0.25 where they have no storage."""
        return entry_of("prelu", (mean_slope(self.weight),))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the slope of its channel."""
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"
