"""Modules that only hold the user's model: data-parallel, sharded, compiled, checkpointed."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

__all__ = ["plain_paths"]

HOLDS = {
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "FullyShardedDataParallel": "_fsdp_wrapped_module",
    "CheckpointWrapper": "_checkpoint_wrapped_module",
    "OptimizedModule": "_orig_mod",
}
"""By class name, since importing them takes longer than most models: the attribute that holds the model."""


def plain_paths(top: nn.Module) -> Callable[[str], str]:
    """What turns a dotted path below ``top`` into the one that it has in the user's own model.

    >>> plain_paths(nn.DataParallel(nn.Sequential(nn.ReLU())))("module.0")
    '0'
    """
    held = {
        f"{path}.{HOLDS[kind.__name__]}".lstrip(".")
        for path, module in top.named_modules()
        for kind in type(module).__mro__
        if kind.__name__ in HOLDS and kind.__module__.startswith("torch.")
    }

    def plain(path: str) -> str:
        parts = path.split(".")
        return ".".join(part for depth, part in enumerate(parts, 1) if ".".join(parts[:depth]) not in held)

    return plain if held else str
