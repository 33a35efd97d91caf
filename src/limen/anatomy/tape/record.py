"""Running a model once on a sample, to see what it does and leave everything as it was."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from limen.anatomy.tape.recorder import Foresee, Recorder, See
from limen.anatomy.tape.sample import Sample, call_of, tensors_of
from limen.anatomy.tape.values import Source, Tape, Value
from limen.anatomy.wrappers import plain_paths, unwrapped
from limen.errors import InvalidValue, SampleRefused

__all__ = ["record", "undisturbed"]


def record(
    model: nn.Module,
    sample: Sample,
    *,
    see: See | None = None,
    foresee: Foresee | None = None,
    then: Callable[[Any], None] | None = None,
) -> Tape:
    """The operations of one forward pass.

    The model runs in the mode it is in (``model.train()`` or ``.eval()``) and under the caller's ``torch.no_grad()``,
    if any; its parameters, its buffers and torch's and Python's random numbers are as before afterwards.

    Args:
        model: any module; on the meta device too, as far as its forward pass does not ask for numbers.
        sample: a tensor, a tuple or list of positional arguments, or a mapping of named ones.
        see: given each operation after it ran, with the tensors of its inputs and outputs. An operation in place has
            overwritten its input by then.
        foresee: given each call before it runs, with the tensors of its inputs; not told of modules that are one
            operation as a whole.
        then: given what the model returned, before its buffers are put back. The operations that it makes, of a loss
            for instance, are written down too; what it raises goes to the caller.

    Raises:
        InvalidValue: the model has parameters whose shape is yet unknown.
        SampleRefused: the forward pass raised; says in which layer, and what that layer takes.
    """
    model = unwrapped(model)
    check_shapes_are_known(model)
    plain = plain_paths(model)
    paths = {module: plain(path) for path, module in model.named_modules() if unwrapped(module) is module}
    leaves = {id(tensor): value for tensor, value in leaves_of(model)}
    recorder = Recorder(paths, leaves, see, foresee)
    args, kwargs = call_of(sample)
    inputs = [recorder.value_of(tensor, "input", name) for name, tensor in tensors_of(sample)]
    with undisturbed(model), uncompiled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Using `torch\.compile\(module\)` when there are global hooks")
        try:
            with recorder:
                try:
                    result = model(*args, **kwargs)
                except Exception as error:
                    raise refusal(error, model, paths, sample) from error
                outputs = {name: recorder.value_of(tensor) for name, tensor in tensors_of(result)}
                if then is not None:
                    then(result)
        finally:
            recorder.put_back()
    return Tape(tuple(recorder.operations), tuple(inputs), outputs, recorder.modules)


def leaves_of(model: nn.Module) -> list[tuple[Tensor, Value]]:
    """Parameters and buffers as values; a tied one by its first name."""
    plain = plain_paths(model)
    named: tuple[tuple[Source, Iterable[tuple[str, Tensor]]], ...] = (
        ("parameter", model.named_parameters()),
        ("buffer", model.named_buffers()),
    )
    return [
        (tensor, Value(tuple(tensor.shape), tensor.dtype, source, plain(name), leaf=tensor))
        for source, tensors in named
        for name, tensor in tensors
    ]


def uncompiled() -> AbstractContextManager[Any]:
    """A context in which compiled code runs as it was written; the compiler is not loaded for that."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def undisturbed(model: nn.Module) -> Generator[None]:
    """A context that leaves the buffers of a model and the generators of random numbers as they were before."""
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    state = random.getstate()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        random.setstate(state)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.data.copy_(before)  # not seen by autograd: a recorded pass can still be gone back through


def check_shapes_are_known(model: nn.Module) -> None:
    """Refuse a model with lazy parameters."""
    lazy = [name for name, p in model.named_parameters() if isinstance(p, nn.UninitializedParameter)]
    if lazy:
        raise InvalidValue(
            f"The shape of {lazy[0]} ({len(lazy)} parameters in all) is not known before the model's first call. "
            "Call the model once with a sample, then try again."
        )


def refusal(error: Exception, model: nn.Module, paths: Mapping[nn.Module, str], sample: Sample) -> SampleRefused:
    """What to say of a forward pass that raised."""
    module, given = innermost(error.__traceback__, paths) or (model, list(tensors_of(sample)))
    shapes = ", ".join(f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}" for _, tensor in given)
    called = paths[module] or type(model).__name__
    kind = f"{type(module).__name__}({module.extra_repr()})" if not list(module.children()) else type(module).__name__
    name = f"{called} ({kind})" if called != kind else called
    told = str(error).strip().split("\n")[0] or type(error).__name__
    return SampleRefused(
        f"The forward pass ended in {name}, which was given {shapes or 'no tensor'}: {type(error).__name__}: {told}. "
        f"{wants(module)}Pass a sample of what the model is called with."
    )


def innermost(
    trace: TracebackType | None, paths: Mapping[nn.Module, str]
) -> tuple[nn.Module, list[tuple[str, Tensor]]] | None:
    """The innermost module in whose ``forward`` an error was raised, and the tensors that it was given."""
    found = None
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and module in paths and frame.f_code.co_name == "forward":
            names = frame.f_code.co_varnames[1 : frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount]
            found = module, list(tensors_of([frame.f_locals.get(name) for name in names]))
    return found


SIZES: dict[str, tuple[str, str]] = {
    "Linear": ("in_features", "a last axis of {}"),
    "Conv1d": ("in_channels", "[batch, {}, length]"),
    "Conv2d": ("in_channels", "[batch, {}, height, width]"),
    "Conv3d": ("in_channels", "[batch, {}, depth, height, width]"),
    "BatchNorm1d": ("num_features", "[batch, {}] or [batch, {}, length]"),
    "BatchNorm2d": ("num_features", "[batch, {}, height, width]"),
    "LayerNorm": ("normalized_shape", "last axes of {}"),
    "Embedding": ("num_embeddings", "integers below {}"),
    "LSTM": ("input_size", "a last axis of {}"),
    "GRU": ("input_size", "a last axis of {}"),
    "RNN": ("input_size", "a last axis of {}"),
}


def wants(module: nn.Module) -> str:
    """A sentence on the shape that a layer takes; empty where that is not known."""
    attribute, shape = SIZES.get(type(module).__name__, ("", ""))
    size: Any = getattr(module, attribute, None) if attribute else None
    return "" if size is None else f"It takes {shape.replace('{}', str(size))}. "
