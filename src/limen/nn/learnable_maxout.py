"""The largest of several linear maps."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen import activations
from limen.nn.checks import check_count, check_input
from limen.nn.learnable_channels import Place

__all__ = ["Maxout"]


class Maxout(nn.Module):
    """``f(x)_i = max_j (w_ij x + b_ij)``: a linear layer and its activation in one, with ``pieces`` times the weights.

    Each piece begins as a ``torch.nn.Linear`` does.

    Args:
        in_features: the size of the last axis of the input.
        out_features: the size of the last axis of the output.
        pieces: linear maps for each output, 2 or more.
        bias: whether they have a bias.
        device: of the parameters.
        dtype: of the parameters.

    Attributes:
        weight: ``[pieces, out_features, in_features]``.
        bias: ``[pieces, out_features]``, or None.

    Source: Goodfellow et al. 2013, arXiv:1302.4389.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        *,
        device: Place = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_count("Maxout", "in_features", in_features)
        check_count("Maxout", "out_features", out_features)
        self.entry = activations.Maxout(pieces)  # which refuses what is no number of pieces
        self.in_features, self.out_features, self.pieces = in_features, out_features, pieces
        self.weight = nn.Parameter(torch.empty(pieces, out_features, in_features, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(pieces, out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights and biases anew, evenly within ``±1 / sqrt(in_features)``."""
        reach = 1 / math.sqrt(self.in_features)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -reach, reach)

    def forward(self, input: Tensor) -> Tensor:
        """``[..., in_features]`` to ``[..., out_features]``; of equal pieces the first one learns."""
        check_input("maxout", input)
        bias = None if self.bias is None else self.bias.flatten()
        maps = F.linear(input, self.weight.flatten(0, 1), bias)  # [..., pieces * out_features]
        return maps.unflatten(-1, (self.pieces, self.out_features)).max(-2).values

    def extra_repr(self) -> str:
        """Its sizes."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}, pieces={self.pieces}"
        return f"{sizes}, bias={self.bias is not None}"
