"""What one forward pass of a model computed: values, the operations between them, and where in the model they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from limen.activations import Activation

__all__ = ["Operation", "Source", "Tape", "Value", "values_in"]

Source = Literal["input", "parameter", "buffer", "constant", "operation"]


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the pass, without its numbers.

    Attributes:
        shape: its shape.
        dtype: its element type.
        source: where it is from: the sample, the model's parameters or buffers, the code (``constant``), or an
            operation of the pass.
        name: dotted path of a parameter or buffer; place in the sample (``0``, ``input_ids``) of an input; else empty.
        leaf: the parameter or buffer itself, else None.
        maker: the operation that made it, else None.
        output: which of the results of ``maker`` it is.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    source: Source
    name: str = ""
    leaf: Tensor | None = field(default=None, repr=False)
    maker: Operation | None = field(default=None, repr=False)
    output: int = 0


@dataclass(frozen=True, eq=False)
class Operation:
    """One call of a torch function.

    Attributes:
        name: what torch calls it, without the marks of methods and in-place variants: ``linear``, ``add``, ``relu``.
            ``opaque`` for a module whose inside cannot be seen.
        order: position in the pass, from 0.
        path: dotted path of the innermost module that made the call; empty for the model itself.
        activation: the catalogue's entry where the call applies one.
        arguments: what the call was given, by name where torch tells names and else by position (``"1"``; the first
            is ``input``), with a ``Value`` in place of each tensor.
        inputs: the values among the arguments, in their order; ``inputs[0]`` is the pre-activation of an activation.
        outputs: what the call returned, tensors only; entered once it has run.
    """

    name: str
    order: int
    path: str
    activation: Activation | None
    arguments: Mapping[str, Any] = field(repr=False)
    inputs: tuple[Value, ...] = field(repr=False)
    outputs: list[Value] = field(default_factory=list, repr=False)

    @property
    def output(self) -> Value:
        """Its first result."""
        return self.outputs[0]

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument by its name, or ``default`` where it was not given."""
        return self.arguments.get(name, default)


@dataclass(frozen=True, eq=False)
class Tape:
    """One forward pass of a model.

    Attributes:
        operations: in the order in which they ran.
        inputs: the tensors of the sample.
        outputs: the tensors that the model returned, by their place: ``""`` for a single one, ``0`` or ``logits``
            within a tuple, mapping or dataclass.
        modules: class name of every module that was called, by dotted path.
    """

    operations: tuple[Operation, ...]
    inputs: tuple[Value, ...]
    outputs: Mapping[str, Value]
    modules: Mapping[str, str]

    @cached_property
    def _readers(self) -> dict[int, list[Operation]]:
        readers: dict[int, list[Operation]] = {}
        for operation in self.operations:
            for value in dict.fromkeys(operation.inputs):
                readers.setdefault(id(value), []).append(operation)
        return readers

    def readers(self, value: Value) -> tuple[Operation, ...]:
        """The operations that a value is given to, in their order."""
        return tuple(self._readers.get(id(value), ()))

    def is_output(self, value: Value) -> bool:
        """Whether the model returned this value."""
        return any(value is output for output in self.outputs.values())


def values_in(given: Any) -> Iterator[Value]:
    """The values in an argument, in their order, however nested."""
    if isinstance(given, Value):
        yield given
    elif isinstance(given, list | tuple):
        for item in given:
            yield from values_in(item)
    elif isinstance(given, Mapping):
        for item in given.values():
            yield from values_in(item)
