"""The recorded pass: the tape, the moments of everything it computed, and the gradients that came back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from limen.activations import tails
from limen.anatomy.tape import Operation, Value
from limen.theory.prediction.state import State, constant, folded, overall

__all__ = ["BLANK", "Observer", "Reading", "state_of"]

BLANK = frozenset({"zeros", "ones", "full", "empty", "rand", "randn", "new_zeros", "new_ones", "new_full", "zeros_like",
                   "ones_like", "full_like", "rand_like", "randn_like", "randint", "normal", "bernoulli"})  # fmt: skip
"""Functions that make a tensor out of nothing, in which a first axis as long as the batch is the batch."""


@dataclass
class Reading:
    """What was measured of one value.

    Attributes:
        mean: over all elements and samples.
        variance: likewise.
        gradient: L2 norm of the gradient at it; None where none came.
    """

    mean: float
    variance: float
    gradient: float | None = None

    def keep(self, gradient: Tensor | None) -> None:
        """Remember the norm of a gradient that comes by; below quantised modules none does."""
        if gradient is not None:
            self.gradient = float(torch.linalg.vector_norm(gradient.detach().double()))


@dataclass
class Observer:
    """Sees each operation of the pass with its tensors, before anything overwrites them.

    Attributes:
        samples: size of the batch.
        states: of every value but parameters and buffers, over the samples.
        readings: of every floating value.
        active: share of elements that are not flat, by operation.
        tensors: of every floating value that depends on the sample.
        moving: the values that depend on the sample.
        handles: of the hooks that keep the norms of gradients.
    """

    samples: int
    states: dict[Value, State] = field(default_factory=dict)
    readings: dict[Value, Reading] = field(default_factory=dict)
    active: dict[Operation, float] = field(default_factory=dict)
    tensors: dict[Value, Tensor] = field(default_factory=dict)
    moving: set[Value] = field(default_factory=set)
    handles: list[Any] = field(default_factory=list)

    def foresee(self, operation: Operation, given: tuple[Tensor, ...]) -> None:
        """Read what an operation is about to overwrite."""
        with torch.no_grad(), unseen():
            for value, tensor in zip(operation.inputs, given, strict=True):
                if value.source != "operation" and value.leaf is None and value not in self.states:
                    self._enter(value, tensor)
            if operation.activation is not None and operation.inputs and not given[0].is_meta:
                self.active[operation] = active_share(operation, given[0])

    def see(self, operation: Operation, given: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> None:
        """Read what an operation has made."""
        if operation.activation is None or operation not in self.active:
            self.foresee(operation, given)
        with torch.no_grad(), unseen():
            moves = any(value in self.moving for value in operation.inputs) or self._is_batch(operation)
            for value, tensor in zip(operation.outputs, made, strict=True):
                if moves:
                    self._read(value, tensor, *self._batch_axis(operation, value))
                else:
                    self.states[value] = blank(operation, value) if tensor.is_meta else constant(tensor)

    def _enter(self, value: Value, tensor: Tensor) -> None:
        """What comes from outside of the pass."""
        if value.source == "input" and value.shape[:1] == (self.samples,):
            self._read(value, tensor, 0, 1)
        elif value.leaf is None:
            self.states[value] = constant(tensor)

    def _is_batch(self, operation: Operation) -> bool:
        return operation.name in BLANK and self.samples > 1 and operation.output.shape[:1] == (self.samples,)

    def _batch_axis(self, operation: Operation, value: Value) -> tuple[int | None, int]:
        """Where the samples lie: where they lay in an input, or on the first axis that they fit on."""
        for given in (self.states[one] for one in operation.inputs if one in self.moving):
            axis = given.batch
            if (
                axis is not None
                and axis < len(value.shape)
                and value.shape[axis] == given.mean.shape[axis] * self.samples
            ):
                return axis, given.outer
        return next((axis for axis, size in enumerate(value.shape) if size and size % self.samples == 0), None), 1

    def _read(self, value: Value, tensor: Tensor, batch: int | None, outer: int) -> None:
        """Take the moments, and the gradient when it comes."""
        self.moving.add(value)
        self.states[value] = state_of(tensor, self.samples, batch, outer)
        if value.source == "input" and tensor.is_meta:  # as data should be
            state = self.states[value]
            self.states[value] = state.plain(mean=torch.zeros_like(state.mean), variance=torch.ones_like(state.mean))
        if not tensor.is_floating_point() or tensor.is_meta or tensor.layout != torch.strided or not tensor.numel():
            return
        self.readings[value] = reading = Reading(*overall(self.states[value]))
        self.tensors[value] = tensor
        if tensor.requires_grad:
            self.handles.append(tensor.register_hook(reading.keep))

    def stop(self) -> None:
        """Keep no more gradients: those that come now are not the measured ones."""
        for handle in self.handles:
            handle.remove()


def unseen() -> AbstractContextManager[None]:
    """A context in which no mode sees what limen asks of torch: a recorder would write it down."""
    internals: Any = torch._C  # pyright: ignore[reportPrivateUsage]
    return internals.DisableTorchFunction()


def blank(operation: Operation, value: Value) -> State:
    """What a function that makes a tensor out of nothing makes on the meta device, where that is known."""
    numbers = {"zeros": 0.0, "new_zeros": 0.0, "zeros_like": 0.0, "ones": 1.0, "new_ones": 1.0, "ones_like": 1.0}
    return constant(torch.full(value.shape, numbers.get(operation.name, torch.nan)))


def active_share(operation: Operation, z: Tensor) -> float:
    """Share of the elements at which an activation is not flat."""
    assert operation.activation is not None
    sides = tails(operation.activation)
    flat = torch.zeros(z.shape, dtype=torch.bool, device=z.device)
    if sides.left is not None:
        flat |= z <= sides.left
    if sides.right is not None:
        flat |= z >= sides.right
    return 1 - float(flat.double().mean())


def state_of(tensor: Tensor, samples: int, batch: int | None, outer: int = 1) -> State:
    """Mean and variance over the samples of a tensor that holds them; unknown of sparse ones and on the meta device."""
    if batch is None:
        return constant(tensor)
    numbers: Any = tensor.detach()
    unknown = tensor.is_meta or tensor.is_complex() or tensor.layout != torch.strided
    numbers = torch.full(tensor.shape, torch.nan) if unknown else numbers.cpu()
    shape = numbers.shape
    split = numbers.double().reshape(*shape[:batch], outer, samples, -1, *shape[batch + 1 :])
    target = folded(tuple(shape), batch, samples)
    mean = split.mean(batch + 1, keepdim=True)
    variance = (split - mean).square().mean(batch + 1)
    return State(mean.reshape(target), variance.reshape(target), batch=batch, outer=outer)
