"""The leaky rectifier whose slope is learned: torch's own, which is exact, with its mistakes told in words."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.errors import InvalidValue
from limen.nn.checks import check_count, check_input, check_numbers

__all__ = ["PReLU", "prelu"]


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``torch.nn.functional.prelu``.

    Args:
        input: ``[samples, channels, ...]``, or any shape where there is one slope.
        weight: ``[channels]`` or ``[1]``, the slopes on the left.

    Raises:
        WrongType: the input is no tensor of floating-point numbers (also a ``TypeError``).
        InvalidValue: there are not as many slopes as channels (also a ``ValueError``).
    """
    check(input, weight)
    return F.prelu(input, weight)


def check(input: Tensor, weight: Tensor) -> None:
    """Refuse an input that the slopes do not fit."""
    check_input("prelu", input)
    if not isinstance(input, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]  # of torch.fx
        return
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


class PReLU(nn.PReLU):
    """``torch.nn.PReLU`` itself: ``f(x) = x`` for ``x > 0``, else ``weight * x``. It only refuses in plainer words.

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
        check_count("PReLU", "num_parameters", num_parameters)
        check_numbers("PReLU", init=init)
        super().__init__(num_parameters, init, device, dtype)
        self.register_forward_pre_hook(check_call)  # so that ``forward`` stays torch's, by which it is known


def check_call(module: nn.Module, arguments: tuple[Any, ...]) -> None:
    """Refuse an input that the slopes of a module do not fit."""
    if arguments:
        check(arguments[0], module.weight)  # pyright: ignore[reportArgumentType]
