"""One pass on the sample: its tape, and the first two moments of what operations without a rule take and make."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limen.anatomy.tape import Operation, Sample, Tape, linear_map_of, record, tensors_of
from limen.init.operations import MOVES, normalises
from limen.init.states import Measured

__all__ = ["measured_pass", "widened"]


def measured_pass(model: nn.Module, sample: Sample) -> tuple[Tape, Measured]:
    """The tape of a pass, with mean and second moment of tensors by order and place; of the sample by ``-1, name``."""
    found: dict[tuple[int, str], tuple[float, float]] = {}

    def see(operation: Operation, given: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> None:
        if operation.activation is not None or operation.name in MOVES or normalises(operation):
            return
        layer = linear_map_of(operation)
        if layer is not None and layer.exact:
            return
        for kind, tensors in (("in", given), ("out", made[:1])):
            for number, tensor in enumerate(tensors):
                if readable(tensor):
                    found[operation.order, f"{kind}{number}"] = two_moments(tensor)

    for name, tensor in tensors_of(sample):
        if readable(tensor):
            found[-1, name] = two_moments(tensor)
    with torch.enable_grad():  # a forward pass may ask for gradients itself
        return record(model, sample, see=see), found


def readable(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and not tensor.is_meta and tensor.numel() > 0 and tensor.layout == torch.strided


def widened(tensor: Tensor) -> Tensor:
    """In double precision on the processor, in single elsewhere: not every device has more."""
    return tensor.detach().to(torch.float64 if tensor.device.type == "cpu" else torch.float32)


def two_moments(tensor: Tensor) -> tuple[float, float]:
    """Mean and mean square."""
    numbers = widened(tensor)
    return float(numbers.mean()), float(numbers.square().mean())
