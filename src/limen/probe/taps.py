"""Where a training step makes itself known: the backward pass and the optimiser, through torch itself."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from limen.probe.beginning import Beginning
from limen.probe.stretches import Stretches

__all__ = ["Hearer", "Listener", "Taps"]


class Listener(Protocol):
    """What hears of backward passes and optimiser steps."""

    def before_backward(self, beginning: Beginning | None) -> None:
        """A backward pass begins; None where it is not one from a loss."""
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

    def after_evaluation(self, optimiser: Optimizer) -> None:
        """The closure of an optimiser in the midst of its step has returned for the first time."""
        ...

    def after_update(self, optimiser: Optimizer, has_closure: bool) -> None:
        """It has."""
        ...


class Hearer(Listener, Protocol):
    """What hears of them unless they were noted."""

    def after_noted(self, succeeded: bool) -> None:
        """A backward pass ended whose beginning was noted, but not its end."""
        ...


class Taps:
    """Tells a listener, or a stretch as long as that notes it; ``close`` leaves torch as it was."""

    def __init__(self, listener: Hearer, stretches: Stretches) -> None:
        self._listener = listener
        self._stretches = stretches
        self._within: set[int] = set()  # threads in which a backward pass is in progress
        self._replaced: list[tuple[Any, str, Callable[..., Any], Callable[..., Any]]] = []
        self._replace(torch.autograd, "backward", functools.partial(self._wrap, Beginning.of))
        self._replace(Tensor, "backward", functools.partial(self._wrap, Beginning.of))
        self._replace(torch.autograd, "grad", functools.partial(self._wrap, from_one_number))
        for kind in kinds_of_scaler():
            self._replace(kind, "scale", self._wrap_scaling)
        self._replace(torch.amp.GradScaler, "__init__", self._wrap_making)
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

    def _wrap(self, beginning_of: Callable[..., Beginning | None], original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def tapped(*args: Any, **kwargs: Any) -> Any:
            thread = threading.get_ident()
            if thread in self._within or torch.compiler.is_compiling():
                return original(*args, **kwargs)
            self._within.add(thread)
            stretch, told, succeeded = self._stretches.current, False, False
            try:
                if stretch is None or kwargs or not args or not stretch.begins_backward(args[0]):
                    told = True
                    self._listener.before_backward(None if kwargs.get("create_graph") else beginning_of(args, kwargs))
                result = original(*args, **kwargs)
                succeeded = True
                return result
            finally:
                self._within.discard(thread)
                if told or stretch is None:
                    self._listener.after_backward(succeeded)
                elif not stretch.ends_backward():
                    self._listener.after_noted(succeeded)

        return tapped

    def _wrap_scaling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def scale(scaler: Any, outputs: Any) -> Any:
            result = original(scaler, outputs)
            if result is not outputs and not torch.compiler.is_compiling():
                pairs = zip(
                    *((one if isinstance(one, list | tuple) else [one]) for one in (outputs, result)), strict=False
                )
                for before, after in pairs:
                    if isinstance(before, Tensor) and isinstance(after, Tensor):
                        self._listener.after_scaling(before, after, scaler._scale)
            return result

        return scale

    def _wrap_making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A class of scalers that is only imported while the watch lasts makes itself known with its first scaler."""

        @functools.wraps(original)
        def make(scaler: Any, *args: Any, **kwargs: Any) -> None:
            kind = type(scaler)
            if "scale" in vars(kind) and all(owner is not kind for owner, *_ in self._replaced):
                self._replace(kind, "scale", self._wrap_scaling)
            original(scaler, *args, **kwargs)

        return make

    def _before_update(self, optimiser: Optimizer, args: Any, kwargs: Any) -> Any:
        if torch.compiler.is_compiling():  # a compiled optimiser step: the compiler must find nothing here
            return None
        closure = closure_of(args, kwargs) if kwargs or len(args) > 1 else None
        stretch = self._stretches.current
        if closure is None and stretch is not None and stretch.begins_update(optimiser):
            return None
        self._listener.before_update(optimiser, closure is not None)
        if closure is None:
            return None
        evaluated = self._wrap_closure(optimiser, closure)
        if "closure" in kwargs:
            return args, {**kwargs, "closure": evaluated}
        return (args[0], evaluated, *args[2:]), kwargs

    def _wrap_closure(self, optimiser: Optimizer, original: Callable[..., Any]) -> Callable[..., Any]:
        heard = False

        @functools.wraps(original)
        def evaluate(*args: Any, **kwargs: Any) -> Any:
            nonlocal heard
            result = original(*args, **kwargs)
            if not heard:
                heard = True
                self._listener.after_evaluation(optimiser)
            return result

        return evaluate

    def _after_update(self, optimiser: Optimizer, args: Any, kwargs: Any) -> None:
        if torch.compiler.is_compiling():
            return
        stretch = self._stretches.current
        if stretch is None or not stretch.ends_update(optimiser):
            self._listener.after_update(optimiser, closure_of(args, kwargs) is not None)


def closure_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The function that evaluates the model again, if ``step`` was called with one."""
    found = kwargs.get("closure", args[1] if len(args) > 1 else None)
    return found if callable(found) else None


def kinds_of_scaler() -> list[type]:
    """The gradient scaler of torch and all classes made from it that scale losses in their own way."""
    found: list[type] = [torch.amp.GradScaler]
    for kind in found:
        found += [other for other in kind.__subclasses__() if other not in found]
    return [kind for kind in found if "scale" in vars(kind)]


def from_one_number(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Beginning | None:
    """What ``torch.autograd.grad`` begins at, if it is a loss: other tensors are differentiated for other ends."""
    beginning = Beginning.of(args, kwargs)
    return beginning if beginning is not None and beginning.is_loss else None
