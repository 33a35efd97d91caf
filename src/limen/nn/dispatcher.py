"""How an operator of ours answers torch's dispatcher, of which torch has no public way to ask these things."""

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._functorch.autograd_function import enable_single_level_autograd_function
from torch.autograd import Function, forward_ad
from torch.nn import Parameter

__all__ = ["ask", "below_autograd", "differentiable", "is_plain", "is_transformed"]

internals: Any = torch._C  # pyright: ignore[reportPrivateUsage]
levels: Any = forward_ad

is_transformed: Callable[[], bool] = internals._are_functorch_transforms_active
"""Whether calls are transformed by torch.func."""

dispatch_modes: Callable[[], int] = internals._len_torch_dispatch_stack
any_requires_grad: Callable[..., bool] = internals._any_requires_grad
PLAIN = (Tensor, Parameter)


class Before(threading.local):
    """Whether gradients were wanted when a ``Function`` was last applied: while it runs, torch says no."""

    grad_enabled = True


before = Before()


def is_plain(x: Tensor) -> bool:
    """Whether nobody but autograd wants to hear of what is computed: then the dispatcher need not be asked again."""
    return type(x) in PLAIN and x.is_cpu and not (dispatch_modes() or is_transformed())


def below_autograd(operator: Callable[..., Tensor], compute: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """What an operator makes of its arguments, without a derivative; ``compute`` is its implementation."""
    if is_plain(arguments[0]):
        return compute(*arguments)
    if is_transformed():  # the transforms around this one differentiate too, which a ``Function`` has switched off
        forward = levels._set_fwd_grad_enabled(True)
        with torch.set_grad_enabled(before.grad_enabled), forward, internals._AutoDispatchBelowAutograd():
            return operator(*arguments)
    with internals._AutoDispatchBelowAutograd():
        return operator(*arguments)


def ask(operator: Callable[..., Tensor], compute: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """What an operator makes of its arguments; from ``compute`` at once where no derivative of it is wanted."""
    if not torch.is_grad_enabled() and levels._current_level < 0 and is_plain(arguments[0]):
        return compute(*arguments)
    return operator(*arguments)


def differentiable(function: type[Function], compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """What the dispatcher is to call for autograd: ``function``, or ``compute`` alone where no derivative is wanted."""
    apply: Any = super(Function, function).apply  # pyright: ignore[reportAttributeAccessIssue]

    def implementation(*arguments: Any) -> Any:
        if is_transformed():
            # the dispatcher has taken off all transforms but one; ``function.apply`` would begin with all of them anew
            before.grad_enabled = torch.is_grad_enabled()
            with enable_single_level_autograd_function():
                return apply(*arguments)
        wanted = torch.is_grad_enabled() and any_requires_grad(*arguments)
        if wanted or levels._current_level >= 0 or not is_plain(arguments[0]):  # within forward differentiation
            return apply(*arguments)
        return compute(*arguments)

    return implementation
