"""The stack of torch's function modes, for which torch has no public way to reach beneath its top."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import FunctionType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = [
    "hide_from_compiler",
    "insert_mode",
    "is_ordinary",
    "is_present",
    "is_transformed",
    "remove_mode",
    "unless_compiling",
    "unseen",
]

internals: Any = torch._C  # pyright: ignore[reportPrivateUsage]
overrides: Any = torch.overrides
tracing_state, dispatch_modes = internals._get_tracing_state, internals._len_torch_dispatch_stack
top_transform = internals._functorch.peek_interpreter_stack


def is_present(mode: TorchFunctionMode) -> bool:
    """Whether a mode is on the stack of this thread."""
    return mode in overrides._get_current_function_mode_stack()


def insert_mode(mode: TorchFunctionMode) -> None:
    """Put a mode beneath those of the script, which take the topmost off when they end, whatever it is.

    Only the context of ``torch.set_default_device`` stays below: it insists on being the lowest.
    """
    default = getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)
    above: list[TorchFunctionMode] = []
    while (stack := overrides._get_current_function_mode_stack()) and stack[-1] is not default:
        above.append(overrides._pop_mode())
    overrides._push_mode(mode)
    for other in reversed(above):
        overrides._push_mode(other)


def remove_mode(mode: TorchFunctionMode) -> None:
    """Take a mode out of the stack wherever it lies: the script may have entered its own above it."""
    if not is_present(mode):
        return
    above: list[TorchFunctionMode] = []
    while (top := overrides._pop_mode()) is not mode:
        above.append(top)
    for other in reversed(above):
        overrides._push_mode(other)


def is_transformed() -> bool:
    """Whether calls are transformed by torch.func."""
    return top_transform() is not None


def is_ordinary() -> bool:
    """Whether calls compute here and now: not traced, not transformed by torch.func, no dispatch mode above them."""
    return not (tracing_state() or dispatch_modes() or top_transform())


def unseen() -> AbstractContextManager[None]:
    """A context in which no mode sees what is asked of tensors."""
    return internals.DisableTorchFunction()


def unless_compiling(enter: Callable[[nn.Module, tuple[Any, ...]], None]) -> Callable[..., None]:
    """A hook that the compiler can read, and finds nothing in."""
    is_compiling = torch.compiler.is_compiling

    def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
        if not is_compiling():
            enter(module, args)

    hide_from_compiler(hook)
    return hook


def hide_from_compiler(*functions: FunctionType) -> None:
    """Mark functions, and all that they call, as nothing that torch.compile should compile.

    Its machinery is not loaded for that. Other versions of torch name these differently, and compile more.
    """
    with suppress(AttributeError):
        frames = internals._dynamo.eval_frame
        skip = frames._FrameExecStrategy(frames._FrameAction.SKIP, frames._FrameAction.SKIP)
        for function in functions:
            frames.set_code_exec_strategy(function.__code__, skip)
