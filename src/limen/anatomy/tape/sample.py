"""A sample: what a model is called with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

__all__ = ["Sample", "call_of", "tensors_of"]

Sample = Tensor | tuple[Any, ...] | list[Any] | Mapping[str, Any]
"""One tensor, a tuple or list of positional arguments, or a mapping of named ones."""


def call_of(sample: Sample) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and named arguments of a call with a sample.

    >>> call_of((1, 2))
    ((1, 2), {})
    """
    if isinstance(sample, Mapping):
        return (), {str(name): value for name, value in sample.items()}
    if isinstance(sample, tuple | list):
        return tuple(sample), {}
    return (sample,), {}


def tensors_of(held: Any, place: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor in a tensor, sequence, mapping or dataclass, with its place: ``0``, ``logits``, ``states.1``."""
    if isinstance(held, Tensor):
        yield place, held
    elif isinstance(held, Mapping):
        for name, item in held.items():
            yield from tensors_of(item, f"{place}.{name}".lstrip("."))
    elif isinstance(held, list | tuple):
        for number, item in enumerate(held):
            yield from tensors_of(item, f"{place}.{number}".lstrip("."))
    elif dataclasses.is_dataclass(held) and not isinstance(held, type):
        for member in dataclasses.fields(held):
            yield from tensors_of(getattr(held, member.name, None), f"{place}.{member.name}".lstrip("."))
