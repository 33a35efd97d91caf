"""The numbers of parameters: their own, or on the meta device a draw from what their layer declares."""

from __future__ import annotations

import copy
import random
import zlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from limen.anatomy.tape import Value
from limen.anatomy.wrappers import plain_paths
from limen.theory.prediction.state import State, constant

__all__ = ["Known", "Leaves", "is_meta"]


class Leaves:
    """What parameters and buffers hold.

    On the meta device a layer is copied, given memory and asked to initialise itself, as it does when it is built;
    each parameter always from the same random numbers, and one layer at a time, so that models of any size can be
    looked at. What belongs to no layer that can initialise itself is unknown.
    """

    def __init__(self, model: nn.Module) -> None:
        plain = plain_paths(model)
        self._owners = {
            plain(f"{path}.{name}".lstrip(".")): (module, name)
            for path, module in model.named_modules()
            for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            if tensor.is_meta
        }

    def tensor(self, value: Value) -> Tensor:
        """The numbers of a leaf; nan where nothing declares them."""
        assert value.leaf is not None
        leaf = value.leaf.detach()
        if not leaf.is_meta:
            return leaf
        module, name = self._owners.get(value.name, (None, ""))
        drawn = initialised(module, zlib.crc32(value.name.encode())) if module is not None else None
        found = None if drawn is None else getattr(drawn, name)
        return torch.full(value.shape, torch.nan) if found is None else found.detach()


def initialised(module: nn.Module, seed: int) -> nn.Module | None:
    """A copy of a layer with the numbers that it is born with; None for one that does not say."""
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if not isinstance(reset, Callable):
        return None
    state = random.getstate()
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        drawn = copy.deepcopy(module).to_empty(device="cpu")
        for inner in drawn.modules():
            again = getattr(inner, "reset_parameters", None)
            if isinstance(again, Callable):
                again()
        own = getattr(drawn, "reset_parameters", None) or getattr(drawn, "_reset_parameters", None)
        if isinstance(own, Callable):
            own()
    random.setstate(state)
    return drawn


class Known(dict[Value, State]):
    """States by value; those of parameters are made when they are asked for, and not kept."""

    def __init__(self, leaves: Leaves) -> None:
        super().__init__()
        self.leaves = leaves

    def __missing__(self, value: Value) -> State:
        if value.leaf is None:
            raise KeyError(value)
        return constant(self.leaves.tensor(value))

    def copy(self) -> Known:
        """One that can be added to by itself."""
        other = Known(self.leaves)
        other.update(self)
        return other

    def numbers(self, value: Value) -> Tensor:
        """The numbers of what no sample changes, without a copy where they are in memory in single precision."""
        if value in self or value.leaf is None:
            return self[value].mean
        tensor = self.leaves.tensor(value)
        return (
            tensor
            if tensor.dtype in (torch.float32, torch.float64) and tensor.device.type == "cpu"
            else tensor.cpu().float()
        )


def is_meta(model: nn.Module) -> bool:
    """Whether any parameter or buffer is without numbers."""
    return any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])
