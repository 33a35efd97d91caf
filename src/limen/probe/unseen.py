"""What of a training cannot be seen, and why: for the reader of the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from limen.anatomy import kind
from limen.probe.directory import Directory
from limen.probe.identity import ByIdentity

__all__ = ["OBSTACLES", "TRANSFORMED", "Scripted", "obstacles_in", "unexplained_in"]

REENTRANT = (
    "What torch.utils.checkpoint runs with use_reentrant=True is not seen: it leaves no graph, and is computed again "
    "in the midst of the backward pass. With use_reentrant=False it is seen."
)
TRANSFORMED = (
    "Forward passes within torch.func (grad, vmap and their like) are not seen: the tensors there stand for others."
)
SCRIPTED = (
    "{names}: what is inside is not seen, since TorchScript calls no hooks. The module it was made from can be watched."
)
UNEXPLAINED = (
    "No activation function was seen, though the loss depends on {names}: applied where torch calls no hooks, for "
    "instance in a function that torch.jit.script made, or by a module in evaluation mode."
)
MOST_NAMES = 3

OBSTACLES = {"CheckpointFunctionBackward": REENTRANT}
"""By kind of graph node: why what it stands for is not seen."""

NODES = {
    "ReluBackward0": "relu", "GeluBackward0": "gelu", "SiluBackward0": "silu", "EluBackward0": "elu",
    "LeakyReluBackward0": "leaky_relu", "HardswishBackward0": "hardswish", "MishBackward0": "mish",
}  # fmt: skip
"""Activation functions that only activation functions leave in a graph; others are parts of losses and cells, too."""


def obstacles_in(nodes: Iterable[Any]) -> set[str]:
    """Why something in a backward graph is not seen."""
    return {OBSTACLES[name] for name in map(kind, nodes) if name in OBSTACLES}


def unexplained_in(nodes: Iterable[Any]) -> str:
    """What to say where no activation function was seen, but a graph holds some; empty where it holds none."""
    names = sorted({NODES[name] for name in map(kind, nodes) if name in NODES})
    return UNEXPLAINED.format(names=", ".join(names)) if names else ""


class Scripted:
    """Modules that were run in more than one step and have parts that TorchScript runs.

    Attributes:
        remark: what to say of them; empty where there are none.
    """

    def __init__(self, directory: Directory) -> None:
        self.remark = ""
        self._directory = directory
        self._met: ByIdentity[tuple[str, int]] = ByIdentity()  # what to say of a module, and the step it was met in

    def meet(self, module: nn.Module, step: int) -> None:
        """A module of which the directory knows runs forward."""
        known = self._met.get(module)
        if known is None:
            self._met.put(module, (scripted_in(module, self._directory), step))
        elif known[0] and step > known[1]:
            self.remark = self.remark or known[0]


def scripted_in(module: nn.Module, directory: Directory) -> str:
    """What to say of the parts of a module that TorchScript runs; empty where there are none."""
    inner: set[nn.Module] = set()
    names: list[str] = []
    for part in module.modules():
        if isinstance(part, torch.jit.ScriptModule) and part not in inner:
            inner.update(part.modules())
            names.append(directory.full(directory.module(part)) or directory.models[-1])
    listed = ", ".join(names[:MOST_NAMES]) + f" and {len(names) - MOST_NAMES} more" * (len(names) > MOST_NAMES)
    return SCRIPTED.format(names=listed) if names else ""
