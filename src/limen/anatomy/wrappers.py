"""Modules that only hold the user's model: data-parallel, sharded, compiled, checkpointed."""

from __future__ import annotations

import functools
from collections.abc import Callable

from torch import nn

__all__ = ["is_compiled", "plain_paths", "unwrapped"]

HOLDS = {
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "FullyShardedDataParallel": "_fsdp_wrapped_module",
    "CheckpointWrapper": "_checkpoint_wrapped_module",
    "OptimizedModule": "_orig_mod",
}
"""By class name, since importing them takes longer than most models: the attribute that holds the model."""


def holder(module: nn.Module) -> str | None:
    """The attribute in which a module holds the user's; None for a module that is the user's own."""
    return _attribute_of(type(module))


@functools.cache
def _attribute_of(kind: type[nn.Module]) -> str | None:
    known = (base.__name__ for base in kind.__mro__ if base.__module__.startswith("torch."))
    return next((HOLDS[name] for name in known if name in HOLDS), None)


def is_compiled(module: nn.Module) -> bool:
    """Whether ``torch.compile`` made this module."""
    return holder(module) == HOLDS["OptimizedModule"]


def unwrapped(module: nn.Module) -> nn.Module:
    """The user's module in any number of wrappers."""
    while (name := holder(module)) is not None and isinstance(inner := getattr(module, name, None), nn.Module):
        module = inner
    return module


def plain_paths(top: nn.Module) -> Callable[[str], str]:
    """What turns a dotted path below ``top`` into the one that it has in the user's own model.

    >>> plain_paths(nn.DataParallel(nn.Sequential(nn.ReLU())))("module.0")
    '0'
    """
    held = {
        f"{path}.{name}".lstrip(".") for path, module in top.named_modules() if (name := holder(module)) is not None
    }

    def plain(path: str) -> str:
        parts = path.split(".")
        return ".".join(part for depth, part in enumerate(parts, 1) if ".".join(parts[:depth]) not in held)

    return plain if held else str
