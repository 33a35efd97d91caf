"""Where a training step makes itself known: the backward pass and the optimiser, through torch itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from limen.probe.modes import unseen

__all__ = ["Listener", "Taps"]


class Listener(Protocol):
    """What hears of backward passes and optimiser steps."""

    def before_backward(self, loss: Tensor | None) -> None:
        """A backward pass from ``loss`` begins; None where it is not a single number."""
        ...

    def after_backward(self, succeeded: bool) -> None:
        """It ended."""
        ...

    def after_scaling(self, loss: Tensor, enlarged: Tensor, factor: Tensor) -> None:
        """A gradient scaler has multiplied a loss."""
        ...

    def before_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """An optimiser is about to step; with a closure it runs forward and backward passes within."""
        ...

    def after_closure(self, optimiser: Optimizer) -> None:
        """The closure has run for the first time in this step: gradients are what the update begins with."""
        ...

    def after_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """It has."""
        ...


class Taps:
    """Tells a listener; ``close`` leaves torch as it was."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._depth = 0
        self._replaced: list[tuple[Any, str, Callable[..., Any], Callable[..., Any]]] = []
        for owner, name in ((torch.autograd, "backward"), (torch.autograd, "grad"), (Tensor, "backward")):
            self._replace(owner, name, self._wrap)
        self._replace(torch.amp.GradScaler, "scale", self._wrap_scaling)
        self._handles = [
            register_optimizer_step_pre_hook(self._before_update),
            register_optimizer_step_post_hook(self._after_update),
        ]

    def close(self) -> None:
        """Take everything away; someone else's later replacement is left in place. Safe to call twice."""
        for handle in self._handles:
            handle.remove()
        for owner, name, original, wrapped in self._replaced:
            if getattr(owner, name) is wrapped:
                setattr(owner, name, original)

    def _replace(self, owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        original = getattr(owner, name)
        wrapped = wrap(original)
        setattr(owner, name, wrapped)
        self._replaced.append((owner, name, original, wrapped))

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def tapped(*args: Any, **kwargs: Any) -> Any:
            if self._depth or torch.compiler.is_compiling():
                return original(*args, **kwargs)
            first = args[0] if args else kwargs.get("self", kwargs.get("tensors", kwargs.get("outputs")))
            self._depth += 1
            succeeded = False
            try:
                self._listener.before_backward(None if kwargs.get("create_graph") else single(first))
                result = original(*args, **kwargs)
                succeeded = True
                return result
            finally:
                self._depth -= 1
                self._listener.after_backward(succeeded)

        return tapped

    def _wrap_scaling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def scale(scaler: Any, outputs: Any) -> Any:
            result = original(scaler, outputs)
            if isinstance(outputs, Tensor) and result is not outputs and not torch.compiler.is_compiling():
                self._listener.after_scaling(outputs, result, scaler._scale)
            return result

        return scale

    def _before_update(self, optimiser: Optimizer, args: Any, kwargs: Any) -> tuple[Any, Any] | None:
        if torch.compiler.is_compiling():  # a compiled optimiser step: the compiler must find nothing here
            return None
        closure = closure_in(args, kwargs)
        self._listener.before_update(optimiser, closure is not None)
        if closure is None:
            return None
        heard = self._wrap_closure(optimiser, closure)
        return (args, {**kwargs, "closure": heard}) if "closure" in kwargs else ((args[0], heard, *args[2:]), kwargs)

    def _wrap_closure(self, optimiser: Optimizer, closure: Callable[..., Any]) -> Callable[..., Any]:
        told = False

        @functools.wraps(closure)
        def heard(*args: Any, **kwargs: Any) -> Any:
            nonlocal told
            result = closure(*args, **kwargs)
            if not told:
                told = True
                self._listener.after_closure(optimiser)
            return result

        return heard

    def _after_update(self, optimiser: Optimizer, args: Any, kwargs: Any) -> None:
        if torch.compiler.is_compiling():
            return
        self._listener.after_update(optimiser, closure_in(args, kwargs) is not None)


def closure_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The function that evaluates the model again, if ``step`` was called with one."""
    return kwargs.get("closure", args[1] if len(args) > 1 else None)


def single(outputs: object) -> Tensor | None:
    """The loss: the tensor, or the only one of a sequence, when it holds one number."""
    with unseen():
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            outputs = outputs[0]
        return outputs if isinstance(outputs, Tensor) and outputs.numel() == 1 and not outputs.is_meta else None
