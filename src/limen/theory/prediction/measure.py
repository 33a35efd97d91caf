"""One pass back with real numbers, without touching a ``.grad``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from limen.anatomy.tape import Operation, Tape, Value
from limen.errors import InvalidValue
from limen.theory.prediction.observe import Observer

__all__ = ["Held", "Measured", "gradients", "output_of", "shares_of", "tracked"]


@dataclass
class Measured:
    """What came back.

    Attributes:
        weights: L2 norm of the gradient of each parameter, by its ``id``.
        above: the gradient at each output.
    """

    weights: dict[int, float] = field(default_factory=dict)
    above: dict[Value, Tensor] = field(default_factory=dict)


@dataclass
class Held:
    """What the model returned."""

    result: Any = None


@contextmanager
def output_of(model: nn.Module) -> Generator[Held]:
    """Keep what a model returns."""
    held = Held()

    def keep(module: nn.Module, _given: Any, result: Any) -> None:
        if module is model:
            held.result = result

    handle = hooks.register_module_forward_hook(keep)
    try:
        yield held
    finally:
        handle.remove()


def tracked(sample: Any) -> Any:
    """The sample with floating tensors to which gradients come, so that they come by all sites on their way."""
    if isinstance(sample, Tensor):
        floating = sample.is_floating_point() and not sample.is_meta
        return sample.detach().requires_grad_().clone() if floating else sample
    if type(sample) in (list, tuple):
        return type(sample)(map(tracked, sample))
    if type(sample) is dict:
        return {name: tracked(item) for name, item in cast("dict[Any, Any]", sample).items()}
    return sample


def gradients(
    model: nn.Module, tape: Tape, observer: Observer, result: Any, loss: Callable[[Any], Tensor] | None
) -> Measured:
    """Send a gradient down the recorded pass; each value's reading keeps the norm of what comes by."""
    tops = {
        value: observer.tensors[value]
        for value in tape.outputs.values()
        if value in observer.tensors and observer.tensors[value].requires_grad
    }
    ends = list(tops.values())
    above: Sequence[Tensor]
    if loss is not None:
        scalar = checked(loss(result))
        above = torch.autograd.grad(scalar, ends, retain_graph=True, allow_unused=True, materialize_grads=True)
    else:
        above = [noise(end, seed) for seed, end in enumerate(ends)]
    leaves = [parameter for parameter in model.parameters() if parameter.requires_grad]
    sources = [observer.tensors[value] for value in tape.inputs if value in observer.tensors]
    targets = [*leaves, *(tensor for tensor in sources if tensor.requires_grad)]
    if not ends or not targets:
        return Measured()
    found = torch.autograd.grad(ends, targets, above, retain_graph=True, allow_unused=True, materialize_grads=True)
    norms = (float(torch.linalg.vector_norm(one.detach().double())) for one in found)
    return Measured(dict(zip(map(id, leaves), norms, strict=False)), dict(zip(tops, above, strict=True)))


def noise(like: Tensor, seed: int) -> Tensor:
    """Independent numbers of variance 1, of a generator of their own."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.device, like.dtype)


def checked(scalar: object) -> Tensor:
    """What a loss returned, if it is a scalar that depends on the model."""
    if isinstance(scalar, Tensor) and scalar.numel() == 1 and scalar.requires_grad:
        return scalar
    found = f"a tensor of shape {list(scalar.shape)}" if isinstance(scalar, Tensor) else type(scalar).__name__
    raise InvalidValue(
        f"predict(…, loss=…): the loss returned {found}. Expected a scalar computed from the model's output, for "
        "instance lambda output: torch.nn.functional.cross_entropy(output, labels)."
    )


def shares_of(observer: Observer) -> Callable[[Operation], Mapping[Value, float]]:
    """For an operation without a rule: by what each input's mean square gradient is that of the outputs."""

    def shares(operation: Operation) -> Mapping[Value, float]:
        tensors = observer.tensors
        tops = [tensors[v] for v in operation.outputs if v in tensors and tensors[v].requires_grad]
        given = [v for v in dict.fromkeys(operation.inputs) if v in tensors and tensors[v].requires_grad]
        if not tops or not given:
            return {}
        above = [noise(top, seed) for seed, top in enumerate(tops)]
        with contextlib.suppress(RuntimeError):
            found = torch.autograd.grad(
                tops, [tensors[v] for v in given], above, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            return {v: float(one.double().square().mean()) for v, one in zip(given, found, strict=True)}
        return {}

    return shares
