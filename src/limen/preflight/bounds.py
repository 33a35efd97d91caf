"""Limits of what a model can make of any input within the sample's range, followed through its operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.anatomy.tape import LinearMap, Operation, Value
from limen.preflight.chains import DROPOUT
from limen.preflight.flight import Flight
from limen.theory import Box, activation_bounds, linear_bounds

__all__ = ["bounds_in"]

MOST_WEIGHTS = 2**22
"""Entries of a weight beyond which its limits are not worth their time and memory."""

RESHAPES = frozenset({"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"})
COPIES = frozenset({"contiguous", "clone", "identity", "float", "to"})
POOLS = frozenset({f"{kind}_pool{axes}d" for kind in ("max", "adaptive_max", "adaptive_avg") for axes in (1, 2, 3)})
"""Poolings whose results lie between the numbers of their window."""
CONVOLUTIONS: Mapping[str, Callable[..., Tensor]] = {"conv1d": F.conv1d, "conv2d": F.conv2d, "conv3d": F.conv3d}


@torch.no_grad()
def bounds_in(flight: Flight) -> dict[int, Box]:
    """Limits of values, by id, where they follow from those of the inputs; of the same axes as the value.

    An axis along which the limits are the same has length 1: all samples, and the places of an image. An input that is
    the same number everywhere says nothing of what others may be, and has no limits. Beyond an
    operation that is not known here, such as a normalisation over the batch, there are none.
    """
    known: dict[int, Box] = {}
    for value in flight.tape.inputs:
        seen = flight.numbers_at(value)
        if seen is not None and seen.finite == 1.0 and seen.low < seen.high and not seen.whole and value.shape:
            ones = torch.ones((1,) * len(value.shape), dtype=torch.float64)
            known[id(value)] = Box(seen.low * ones, seen.high * ones)
    for operation in flight.tape.operations:
        box = after(operation, flight.map_at.get(id(operation)), known)
        if box is not None:
            known[id(operation.output)] = box
    return known


def after(operation: Operation, linear: LinearMap | None, known: Mapping[int, Box]) -> Box | None:
    """The limits of what an operation makes; None where they are not known."""
    if linear is not None:
        return of_map(linear, known)
    given = [known.get(id(value)) for value in operation.inputs]
    box = given[0] if given else None
    if box is None:
        return None
    value, name = operation.inputs[0], operation.name
    if operation.activation is not None:
        return activation_bounds(box, operation.activation)
    if name in COPIES:
        return box
    if name in RESHAPES:
        return reshaped(box, value, operation.output)
    if name in POOLS:
        return box if all(length == 1 for length in box.low.shape[2:]) else None
    if name in DROPOUT and not name.startswith(("alpha", "feature_alpha")):
        share = float(operation.argument("p", 0.5)) if operation.argument("training", True) else 0.0
        return None if share >= 1.0 else Box(box.low.clamp(max=0) / (1 - share), box.high.clamp(min=0) / (1 - share))
    if name == "add" and len(given) == 2 and given[1] is not None and not operation.argument("alpha"):
        return Box(box.low + given[1].low, box.high + given[1].high)
    return None


def reshaped(box: Box, value: Value, made: Value) -> Box | None:
    """The limits after a change of shape that leaves the first axis, the samples, alone."""
    if not made.shape or not value.shape or made.shape[0] != value.shape[0]:
        return None

    def of(limits: Tensor) -> Tensor:
        return limits.expand(1, *value.shape[1:]).reshape(1, *made.shape[1:])

    return Box(of(box.low), of(box.high))


def of_map(linear: LinearMap, known: Mapping[int, Box]) -> Box | None:
    """The limits of what a linear layer or a convolution makes."""
    box, weight = known.get(id(linear.data)), linear.weight.leaf
    if box is None or weight is None or weight.is_meta or not linear.exact or weight.numel() > MOST_WEIGHTS:
        return None
    bias = None if linear.bias is None else linear.bias.leaf
    if not all(bool(leaf.isfinite().all()) for leaf in (weight, bias) if leaf is not None):
        return None
    if linear.operation.name in ("linear", "addmm"):
        weight = weight if linear.unit_axis == 0 else weight.T
        wide = Box(*(limits.expand(*limits.shape[:-1], linear.fan_in) for limits in (box.low, box.high)))
        return linear_bounds(wide, weight, bias)
    convolve = CONVOLUTIONS.get(linear.operation.name)
    if convolve is None or any(length != 1 for length in box.low.shape[2:]):
        return None
    dilation = linear.operation.argument("dilation", 1)
    steps = dilation if isinstance(dilation, tuple) else (dilation,) * (weight.ndim - 2)
    window = tuple(step * (size - 1) + 1 for step, size in zip(steps, weight.shape[2:], strict=True))
    low, high = (box.low.clamp(max=0), box.high.clamp(min=0)) if pads(linear) else (box.low, box.high)
    channels = linear.groups * weight.shape[1]
    wide = Box(*(limits.expand(1, channels, *window) for limits in (low, high)))
    apply = partial(convolve, dilation=dilation, groups=linear.groups)
    return linear_bounds(wide, weight, bias, apply=apply)


def pads(linear: LinearMap) -> bool:
    """Whether zeros may be put around the input."""
    padding = linear.operation.argument("padding", 0)
    return padding not in (0, "valid") and any(padding if isinstance(padding, tuple) else (padding,))
