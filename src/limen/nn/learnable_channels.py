"""Learned numbers, one or a row of them for each channel: how they are laid along an input, and told."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from limen.errors import InvalidValue
from limen.nn.checks import check_input

__all__ = ["Place", "along", "check_channels", "learned", "means", "refill"]

Place = torch.device | str | None
"""Where a module is to be made."""


def learned(
    row: Sequence[float] | float, channels: int, device: Place = None, dtype: torch.dtype | None = None
) -> nn.Parameter:
    """A parameter that holds a number, or a row of numbers, for each channel: ``[channels]`` or ``[channels, n]``."""
    one = torch.tensor(row, device=device, dtype=dtype or torch.get_default_dtype())
    return nn.Parameter(one.expand(channels, *one.shape).clone())


@torch.no_grad()
def refill(parameter: Tensor, row: Sequence[float] | float) -> None:
    """Give every channel of a parameter, or a buffer, the same numbers again."""
    parameter.copy_(torch.tensor(row, dtype=parameter.dtype).expand(parameter.shape))


def check_channels(name: str, input: Tensor, channels: int, axis: int) -> None:
    """Refuse an input that is not of floating point, or has another number of channels.

    Raises:
        WrongType: it is no tensor of floating-point numbers.
        InvalidValue: says both numbers of channels.
    """
    check_input(name, input)
    if channels == 1:
        return
    found = input.shape[axis] if -input.ndim <= axis < input.ndim else None
    if found == channels:
        return
    what = f"an input of shape {list(input.shape)} has " + (f"{found} there" if found else "no such axis")
    raise InvalidValue(
        f"{name}(num_parameters={channels}, axis={axis}): {what}. Give it as many parameters as that axis is long, or "
        "a single one for all channels."
    )


def along(parameter: Tensor, input: Tensor, axis: int) -> Tensor:
    """A number for each channel, ``[channels]``, as a tensor that broadcasts with the input."""
    if len(parameter) == 1:
        return parameter.reshape(())
    shape = [1] * input.ndim
    shape[axis] = len(parameter)
    return parameter.reshape(shape)


def means(parameter: Tensor, first: Sequence[float] | float) -> list[float]:
    """Means over the channels, of this moment; those of the ``first`` moment where there is no storage.

    Waits for the device that holds them.
    """
    if parameter.is_meta:
        return [first] if isinstance(first, int | float) else list(first)
    found: list[float] | float = parameter.detach().double().mean(0).tolist()
    return [found] if isinstance(found, float) else found
