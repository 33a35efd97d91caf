"""Running a model and its loss once, forwards and backwards, and putting down what the checks need."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from limen.activations import tails
from limen.anatomy import is_adaptive, loss_function, unwrapped
from limen.anatomy.tape import Operation, Sample, Tape, Value, linear_map_of, record, tensors_of
from limen.anatomy.wrappers import plain_paths
from limen.preflight.chains import unit_axis
from limen.preflight.flight import Activity, Flight, OptimiserFacts
from limen.preflight.losses import LOSSES, LossCall, calls_in, kind_of
from limen.preflight.numbers import Numbers, numbers_of

__all__ = ["fly"]

internals: Any = torch._C  # pyright: ignore[reportPrivateUsage]

FLAT_NODES = ("Round", "Floor", "Ceil", "Trunc", "Sign", "Sgn", "Heaviside")
"""Backward nodes that let no gradient through: steps are flat."""


def fly(
    model: nn.Module,
    sample: Sample,
    *,
    loss: Callable[..., Any] | None = None,
    target: Any = None,
    optimisers: Iterable[Optimizer] | None = None,
) -> Flight:
    """One pass over a sample. The model, its gradients, buffers and all random numbers are as before afterwards.

    Raises:
        InvalidValue: the model has parameters whose shape is yet unknown.
        SampleRefused: the forward pass raised.
    """
    model = unwrapped(model)
    facts = None if optimisers is None else tuple(facts_of(one, model) for one in optimisers)
    plain = [one for one in facts or () if not one.adaptive]
    watcher = Watcher(model, loss, target, frozenset[int]().union(*(one.held for one in plain)))
    with torch.inference_mode(False), torch.enable_grad():
        tape = record(model, sample, see=watcher.see, foresee=watcher.foresee, then=watcher.evaluate)
    for value, (_, tensor) in zip(tape.inputs, tensors_of(sample), strict=True):
        watcher.enter(value, tensor)
    losses = calls_in(tape) or tuple(assumed(tape, loss, watcher.kind))
    return Flight(
        model,
        tape,
        losses,
        watcher.numbers,
        watcher.activity,
        watcher.gradients,
        watcher.reached,
        tuple(watcher.cut),
        tuple(watcher.in_place),
        tuple(watcher.hidden),
        watcher.trouble,
        facts,
        loss is not None,
        watcher.value,
        watcher.squares,
    )


class Watcher:
    """Sees the operations of one pass with their tensors, evaluates the loss, and goes backwards from there."""

    def __init__(self, model: nn.Module, loss: Callable[..., Any] | None, target: Any, stepped: frozenset[int]) -> None:
        plain = plain_paths(model)
        self.model = model
        self.names = {id(tensor): plain(name) for name, tensor in model.named_parameters()}
        self.loss, self.target = loss, target
        self.kind: str | None = None
        self.value: float | None = None
        self.squares: dict[int, float] = {}
        self._stepped = stepped  # parameters whose gradients are wanted as well, by id
        self.numbers: dict[int, Numbers] = {}
        self.activity: dict[int, Activity] = {}
        self.gradients: dict[int, float] = {}
        self.reached: frozenset[str] | None = None
        self.cut: list[Operation] = []
        self.in_place: list[Operation] = []
        self.hidden: list[tuple[Operation, nn.Parameter]] = []
        self.trouble = ""
        self._made: list[tuple[int, Tensor]] = []  # results of layers, by id of their value

    def foresee(self, operation: Operation, given: tuple[Tensor, ...]) -> None:
        """Put down what an activation is given, before it may overwrite it."""
        if operation.activation is not None and given:
            with internals.DisableTorchFunction():
                self._enter_activity(operation, given[0])

    def see(self, operation: Operation, given: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> None:
        """Put down what an operation did."""
        with internals.DisableTorchFunction():
            self._see(operation, given, made)

    def _see(self, operation: Operation, given: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> None:
        overwrites = any(new is old for new in made for old in given)
        if overwrites:
            self.in_place.append(operation)
        if any(one.requires_grad for one in given) and not any(one.requires_grad for one in made):
            self.cut.append(operation)
        known = {id(tensor) for _, tensor in self.hidden}
        for tensor in given:
            if not isinstance(tensor, nn.Parameter) or not tensor.requires_grad or overwrites:
                continue  # what is overwritten is not used, but drawn
            if id(tensor) not in self.names and id(tensor) not in known:
                self.hidden.append((operation, tensor))
        if linear_map_of(operation) is not None and made[0].requires_grad:
            self._made.append((id(operation.output), made[0]))
        if operation.activation is not None and not overwrites and id(operation) not in self.activity:
            self._enter_activity(operation, given[0])  # of a class from another library, which is not foreseen
        if operation.name in CALLED:
            for value, tensor in zip(operation.inputs, given, strict=True):
                self.enter(value, tensor)

    def enter(self, value: object, tensor: Tensor) -> None:
        """Put down the figures of a value."""
        found = numbers_of(tensor)
        if found is not None:
            self.numbers[id(value)] = found

    @torch.no_grad()
    def _enter_activity(self, operation: Operation, z: Tensor) -> None:
        assert operation.activation is not None
        rows = rows_of(operation.inputs[0], z)
        if rows is None:
            return
        sides = tails(operation.activation)
        left = rows <= sides.left if sides.left is not None else torch.zeros_like(rows, dtype=torch.bool)
        right = rows >= sides.right if sides.right is not None else torch.zeros_like(rows, dtype=torch.bool)
        silent = left.all(0) if sides.dead_left else torch.zeros(rows.shape[1], dtype=torch.bool)
        self.activity[id(operation)] = Activity(
            rows.shape[0],
            tuple(int(unit) for unit in silent.nonzero().flatten()),
            rows.shape[1],
            *moments_of(rows),
            float((left | right).float().mean()),
        )

    def evaluate(self, result: Any) -> None:
        """The loss of what the model returned, and the gradients of it."""
        own = {id(tensor) for tensor in self.model.parameters()}  # some models replace their modules on the way
        self.hidden = [(operation, one) for operation, one in self.hidden if id(one) not in own]
        value: Any = None
        if self.loss is not None and self.target is not None:
            try:
                with warnings.catch_warnings(action="ignore"):  # torch's own, of a shape that does not fit
                    value = self.loss(result, self.target)
            except Exception as error:  # of a prediction that does not fit it, which is what the checks are for
                self.trouble = f"the loss raised {type(error).__name__}: {first_line(error)}"
        with internals.DisableTorchFunction():
            if isinstance(value, Tensor) and value.numel() == 1 and value.grad_fn is not None:
                self.kind = loss_function(value)
                self.value = None if value.is_meta else float(value.detach())
                start = value.sum()
            else:
                start = projection(tensor for _, tensor in tensors_of(result))
            self._go_back(start)

    def _go_back(self, start: Tensor | None) -> None:
        if start is None or not start.requires_grad:
            self.reached = frozenset() if self.names else None
            return
        self.reached = frozenset(self.names[one] for one in reached_from(start.grad_fn) if one in self.names)
        if not self._made or start.is_meta:
            return
        known = self.value is not None
        stepped = [one for one in self.model.parameters() if known and one.requires_grad and id(one) in self._stepped]
        try:
            tensors = [*(tensor for _, tensor in self._made), *stepped]
            found = cast("Sequence[Tensor | None]", torch.autograd.grad(start, tensors, allow_unused=True))
        except RuntimeError as error:
            self.trouble = self.trouble or f"the backward pass raised RuntimeError: {first_line(error)}"
            return
        norms = [None if one is None else float(torch.linalg.vector_norm(wide(one.detach()))) for one in found]
        for (value, _), norm in zip(self._made, norms, strict=False):
            if norm is not None:
                self.gradients[value] = norm
        self.squares = {
            id(one): (norm or 0.0) ** 2 for one, norm in zip(stepped, norms[len(self._made) :], strict=True)
        }


def wide(tensor: Tensor) -> Tensor:
    """The same numbers in double precision, real or complex."""
    return tensor.to(torch.complex128) if tensor.is_complex() else tensor.double()


def rows_of(value: Value, tensor: Tensor) -> Tensor | None:
    """``[positions, units]``, at least float32, of what layers hand to activations; None where units are not known."""
    axis = unit_axis(value)
    if axis is None or tensor.is_meta or not tensor.is_floating_point() or tensor.dim() < 2 or tensor.numel() == 0:
        return None
    if tensor.layout != torch.strided or tensor.is_nested:
        return None
    rows = tensor.detach().movedim(axis, -1).flatten(0, -2)
    return rows if rows.dtype in (torch.float32, torch.float64) else rows.float()


def moments_of(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each unit, float64."""
    std, mean = torch.std_mean(rows, 0, correction=0)
    return mean.double().cpu(), std.double().cpu()


CALLED = frozenset(function.__name__ for function in LOSSES.values())


def first_line(error: Exception) -> str:
    """What an error says, as far as its first line."""
    return (str(error).strip().split("\n")[0] or type(error).__name__).rstrip(".")


def projection(tensors: Iterable[Tensor]) -> Tensor | None:
    """A sum of all outputs with fixed weights of both signs, in place of a loss; None where nothing leads back."""
    total: Tensor | None = None
    for tensor in tensors:
        if not tensor.requires_grad:
            continue
        tensor = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        weights = torch.arange(tensor.numel(), device=tensor.device, dtype=torch.float64).mul(2.399963).cos()
        part = (tensor.double().flatten() * weights).sum() / max(1, tensor.numel()) ** 0.5
        total = part if total is None else total + part.to(total.device)
    return total


def reached_from(start: Any) -> Iterator[int]:
    """Ids of the leaves that a gradient from this node of the graph reaches."""
    stack, seen = [start], {start}
    while stack:
        node = stack.pop()
        if hasattr(node, "variable"):
            yield id(node.variable)
        if node.name().startswith(FLAT_NODES):
            continue
        for below, _ in node.next_functions:
            if below is not None and below not in seen:
                seen.add(below)
                stack.append(below)


def assumed(tape: Tape, loss: Callable[..., Any] | None, kind: str | None) -> Iterator[LossCall]:
    """The call that a loss would make of a model's only output, where its own call was not seen."""
    kind = kind_of(loss) or (kind if kind in LOSSES else None)
    real = [value for value in tape.outputs.values() if value.dtype.is_floating_point]
    if kind is not None and len(real) == 1:
        yield LossCall(kind, LOSSES[kind].__name__, real[0], None)


def facts_of(optimiser: Optimizer, model: nn.Module) -> OptimiserFacts:
    """What is known of an optimiser."""
    own = {id(tensor) for tensor in model.parameters()}
    held = {id(tensor): tensor for group in optimiser.param_groups for tensor in group["params"]}
    rates = {id(tensor): float(group["lr"]) for group in optimiser.param_groups for tensor in group["params"]}
    foreign = tuple(tuple(tensor.shape) for key, tensor in held.items() if key not in own)
    return OptimiserFacts(type(optimiser).__name__, is_adaptive(optimiser), frozenset(held), foreign, rates)
