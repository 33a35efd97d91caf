"""The recorder: a function mode and torch's global module hooks, which write down one forward pass."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from limen.activations import Activation, composite, of_call
from limen.anatomy.tape.sample import tensors_of
from limen.anatomy.tape.signatures import called, named_arguments, opened
from limen.anatomy.tape.values import Operation, Source, Value, values_in

__all__ = ["Foresee", "Recorder", "See"]

See = Callable[[Operation, tuple[Tensor, ...], tuple[Tensor, ...]], None]
"""Given each operation after it ran, with the tensors of its ``inputs`` and ``outputs``."""

Foresee = Callable[[Operation, tuple[Tensor, ...]], None]
"""Given each call that is about to run, with the tensors of its ``inputs``: before one in place overwrites them."""


class Recorder(TorchFunctionMode):
    """Writes down the torch calls made while it is entered, and the modules in which they were made.

    A class from another library that computes a known activation in several calls is one operation. A module whose
    calls torch does not tell (scripted, quantised) is one operation named ``opaque``.
    """

    def __init__(
        self,
        paths: Mapping[nn.Module, str],
        tensors: Mapping[int, Value],
        see: See | None,
        foresee: Foresee | None = None,
    ) -> None:
        self.operations: list[Operation] = []
        self.modules: dict[str, str] = {}
        self._paths = paths
        self._leaves = tensors  # of parameters and buffers, by id; they outlive the pass
        self._see = see
        self._foresee = foresee
        self._thread = threading.get_ident()
        self._known: dict[int, tuple[weakref.ref[Tensor], Value]] = {}
        self._stack: list[str] = []
        self._before: dict[int, tuple[Tensor, Tensor, Tensor]] = {}  # parameters that the pass writes to
        self._places: dict[int | None, Tensor] | None = None  # parameters by where their numbers lie
        self._hidden: list[tuple[nn.Module, Activation]] = []  # the composite activation being computed
        self._handles: list[Any] = []

    def __enter__(self) -> Recorder:
        self._handles = [  # for all modules, since scripted ones take no hooks of their own
            hooks.register_module_forward_pre_hook(self._enter),
            hooks.register_module_forward_hook(self._leave, always_call=True),
        ]
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        for handle in self._handles:
            handle.remove()

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Let every call through unchanged and write it down."""
        kwargs = kwargs or {}
        if writes(func, kwargs):
            self._keep([*args[:1], *kwargs.values()])
        if self._hidden or threading.get_ident() != self._thread:
            return func(*args, **kwargs)
        inner = opened(func)
        if inner is not None:
            with self._again():
                return inner(*args, **kwargs)
        found = of_call(func, args, kwargs)
        arguments = named_arguments(func, args, kwargs)
        operation, tensors = self._begin(called(func), arguments, found[0] if found else None)
        if self._foresee is not None:
            self._foresee(operation, tensors)
        result = func(*args, **kwargs)
        self._end(operation, tensors, args[0] if operation.name == "setitem" else result)
        return result

    def _keep(self, given: Any) -> None:
        """Remember parameters that are about to be overwritten, whole, in part, or through their ``data``."""
        if self._places is None:
            leaves = [value.leaf for value in self._leaves.values() if value.source == "parameter"]
            self._places = {place: leaf for leaf in leaves if leaf is not None and (place := storage_of(leaf))}
        for _, tensor in tensors_of(given):
            leaf = self._places.get(storage_of(tensor))
            if leaf is not None and id(leaf) not in self._before:
                with torch.no_grad():
                    self._before[id(leaf)] = leaf, leaf.data, leaf.detach().clone()

    def put_back(self) -> None:
        """Undo what the pass wrote to parameters."""
        for leaf, place, numbers in self._before.values():
            place.copy_(numbers)
            leaf.data = place  # not seen by autograd: a recorded pass can still be gone back through

    def _again(self) -> TorchFunctionMode:
        return _Again(self)

    def value_of(self, tensor: Tensor, source: Source = "constant", name: str = "") -> Value:
        """The value that a tensor is at this moment; one not seen before is entered as from ``source``."""
        leaf = self._leaves.get(id(tensor))
        known = self._known.get(id(tensor))
        if known is not None and known[0]() is tensor:
            return known[1]
        if leaf is not None:
            return leaf
        return self._enter_value(tensor, Value(tuple(tensor.shape), tensor.dtype, source, name))

    def _enter_value(self, tensor: Tensor, value: Value) -> Value:
        self._known[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def _begin(
        self, name: str, arguments: Mapping[str, Any], activation: Activation | None
    ) -> tuple[Operation, tuple[Tensor, ...]]:
        """An operation that is about to run, with what it is given; it may overwrite these."""
        tensors = tuple(tensor for _, tensor in tensors_of(arguments))
        given = {name: self._with_values(argument) for name, argument in arguments.items()}
        inputs = tuple(values_in(given))
        path = self._stack[-1] if self._stack else ""
        return Operation(name, len(self.operations), path, activation, given, inputs), tensors

    def _end(self, operation: Operation, tensors: tuple[Tensor, ...], result: Any) -> None:
        """Write an operation down, once it has run and if it made tensors."""
        made = [tensor for _, tensor in tensors_of(result)]
        if not made:
            return
        for number, tensor in enumerate(made):
            value = Value(tuple(tensor.shape), tensor.dtype, "operation", maker=operation, output=number)
            operation.outputs.append(self._enter_value(tensor, value))
        self.operations.append(operation)
        if self._see is not None:
            self._see(operation, tensors, tuple(made))

    def _with_values(self, argument: Any) -> Any:
        if isinstance(argument, Tensor):
            return self.value_of(argument)
        if type(argument) in (list, tuple):
            return tuple(map(self._with_values, argument))
        if isinstance(argument, dict):
            return {name: self._with_values(item) for name, item in argument.items()}
        return argument

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if module not in self._paths or threading.get_ident() != self._thread:
            return
        path = self._paths[module]
        self._stack.append(path)
        self.modules[path] = type(module).__name__
        activation = composite(module)
        if activation is not None and args and isinstance(args[0], Tensor):
            self._hidden.append((module, activation))

    def _leave(self, module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if module not in self._paths or threading.get_ident() != self._thread:
            return
        if self._hidden and self._hidden[-1][0] is module:
            _, activation = self._hidden.pop()
            self._end(*self._begin(activation.name, {"input": args[0]}, activation), result)
        elif any(not self._is_known(tensor) for _, tensor in tensors_of(result)):
            self._end(*self._begin("opaque", dict(zip(map(str, range(len(args))), args, strict=True)), None), result)
        self._stack.pop()

    def _is_known(self, tensor: Tensor) -> bool:
        known = self._known.get(id(tensor))
        return id(tensor) in self._leaves or (known is not None and known[0]() is tensor)


class _Again(TorchFunctionMode):
    """Hands calls on to a recorder that torch has taken off its stack for the duration of a call."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return self._recorder.__torch_function__(func, types, args, kwargs)


def writes(function: Any, kwargs: Mapping[str, Any]) -> bool:
    """Whether a call may write to a tensor that it is given: in place, with ``out``, or to an attribute."""
    name = getattr(function, "__name__", "")
    return name in ("__set__", "__setitem__") or (name.endswith("_") and not name.endswith("__")) or "out" in kwargs


def storage_of(tensor: Tensor) -> int | None:
    """Where the numbers of a tensor lie; None where they lie nowhere, or in several places."""
    return tensor.untyped_storage().data_ptr() or None if tensor.layout == torch.strided else None
