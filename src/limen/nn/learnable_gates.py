"""Smooth functions that learn how steep they are: Swish, ACON-C and the dynamic tanh."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limen import activations
from limen.nn.checks import check_count, check_numbers
from limen.nn.learnable_channels import Place, along, check_channels, learned, means, refill
from limen.nn.precision import widened

__all__ = ["ACONC", "DynamicTanh", "Swish"]


class Swish(nn.Module):
    """``f(x) = x / (1 + exp(-beta x))`` with a learned ``beta``.

    Do not let weight decay act on it: that pulls ``beta`` to 0, where the function is ``x / 2``.

    Args:
        num_parameters: 1, or the number of channels.
        beta: of all channels at first, finite.
        axis: of the channels.
        device: of the parameter.
        dtype: of the parameter.

    Attributes:
        beta: ``[num_parameters]``.

    Source: Ramachandran, Zoph & Le 2017, arXiv:1710.05941, Sec. 4.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        beta: float = 1.0,
        *,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("Swish", "num_parameters", num_parameters)
        check_numbers("Swish", beta=beta)
        self.num_parameters, self.first, self.axis = num_parameters, float(beta), axis
        self.beta = learned(self.first, num_parameters, device, dtype)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        refill(self.beta, self.first)

    @classmethod
    def of(cls, entry: activations.Swish) -> Swish:
        """A module that begins as an entry."""
        return cls(beta=entry.beta)

    @property
    def entry(self) -> activations.Swish:
        """The entry of this moment, with the mean over the channels."""
        return activations.Swish(*means(self.beta, self.first))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the ``beta`` of its channel."""
        check_channels("swish", input, self.num_parameters, self.axis)
        x, beta = widened(input, along(self.beta, input, self.axis))
        return (x * torch.sigmoid(beta * x)).to(input.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"num_parameters={self.num_parameters}, beta={self.first:g}, axis={self.axis}"


class ACONC(nn.Module):
    """``f(x) = (p1 - p2) x s(beta (p1 - p2) x) + p2 x``, a smooth maximum of two lines, all three numbers learned.

    It begins as SiLU, for every channel. The paper draws ``p1`` and ``p2`` from a normal distribution.

    Args:
        num_parameters: 1, or the number of channels.
        p1: of all channels at first, finite.
        p2: likewise.
        beta: likewise.
        axis: of the channels.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        p1: ``[num_parameters]``.
        p2: ``[num_parameters]``.
        beta: ``[num_parameters]``.

    Source: Ma et al. 2021, arXiv:2009.04759.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        p1: float = 1.0,
        p2: float = 0.0,
        beta: float = 1.0,
        *,
        axis: int = 1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("ACONC", "num_parameters", num_parameters)
        check_numbers("ACONC", p1=p1, p2=p2, beta=beta)
        self.num_parameters, self.first, self.axis = num_parameters, (float(p1), float(p2), float(beta)), axis
        self.p1, self.p2, self.beta = (learned(one, num_parameters, device, dtype) for one in self.first)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        for parameter, first in zip((self.p1, self.p2, self.beta), self.first, strict=True):
            refill(parameter, first)

    @classmethod
    def of(cls, entry: activations.ACONC) -> ACONC:
        """A module that begins as an entry."""
        return cls(p1=entry.p1, p2=entry.p2, beta=entry.beta)

    @property
    def entry(self) -> activations.ACONC:
        """The entry of this moment, with the means over the channels."""
        rows = zip((self.p1, self.p2, self.beta), self.first, strict=True)
        return activations.ACONC(*(means(parameter, first)[0] for parameter, first in rows))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the numbers of its channel."""
        check_channels("acon_c", input, self.num_parameters, self.axis)
        x, p1, p2, beta = widened(input, *(along(one, input, self.axis) for one in (self.p1, self.p2, self.beta)))
        apart = p1 - p2
        return (x * (p2 + apart * torch.sigmoid(beta * apart * x))).to(input.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        p1, p2, beta = self.first
        return f"num_parameters={self.num_parameters}, p1={p1:g}, p2={p2:g}, beta={beta:g}, axis={self.axis}"


class DynamicTanh(nn.Module):
    """``f(x) = weight tanh(alpha x) + bias`` in the place of a ``LayerNorm``: no mean, no variance, all learned.

    Args:
        num_parameters: the number of channels, as ``normalized_shape`` of a LayerNorm; ``alpha`` is one for all.
        alpha: at first, finite; the paper has 0.5, and less in the attention of wide language models.
        axis: of the channels; the last one, as in a LayerNorm, where it says nothing else.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        alpha: ``[1]``.
        weight: ``[num_parameters]``, 1 at first.
        bias: ``[num_parameters]``, 0 at first.

    Source: Zhu et al. 2025, arXiv:2503.10622, Sec. 4.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        alpha: float = 0.5,
        *,
        axis: int = -1,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("DynamicTanh", "num_parameters", num_parameters)
        check_numbers("DynamicTanh", alpha=alpha)
        self.num_parameters, self.first, self.axis = num_parameters, float(alpha), axis
        self.alpha = learned(self.first, 1, device, dtype)
        self.weight = learned(1.0, num_parameters, device, dtype)
        self.bias = learned(0.0, num_parameters, device, dtype)

    def reset_parameters(self) -> None:
        """Begin again as it was made."""
        for parameter, first in ((self.alpha, self.first), (self.weight, 1.0), (self.bias, 0.0)):
            refill(parameter, first)

    @classmethod
    def of(cls, entry: activations.DynamicTanh) -> DynamicTanh:
        """A module that begins as an entry."""
        module = cls(alpha=entry.alpha)
        nn.init.constant_(module.weight, entry.weight)
        nn.init.constant_(module.bias, entry.bias)
        return module

    @property
    def entry(self) -> activations.DynamicTanh:
        """The entry of this moment, with the means over the channels."""
        rows = ((self.alpha, self.first), (self.weight, 1.0), (self.bias, 0.0))
        return activations.DynamicTanh(*(means(parameter, first)[0] for parameter, first in rows))

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element, with the weight and the bias of its channel."""
        check_channels("dynamic_tanh", input, self.num_parameters, self.axis)
        rows = (along(one, input, self.axis) for one in (self.alpha, self.weight, self.bias))
        x, alpha, weight, bias = widened(input, *rows)
        return (weight * torch.tanh(alpha * x) + bias).to(input.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"num_parameters={self.num_parameters}, alpha={self.first:g}, axis={self.axis}"
