"""What is watched: some models, or all that the process trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn
from torch.optim import Optimizer

from limen.anatomy import unwrapped

__all__ = ["Scope"]

UNTOUCHED = (
    "Nothing that limen.watch was given was trained: optimisers stepped {times} and moved none of its parameters. "
    "Name the model that is trained itself, not a copy of it, or none: limen.watch() watches all that is trained."
)


class Scope:
    """Some models with their parts and parameters, or everything.

    Args:
        models: only these; None for all.

    Attributes:
        elsewhere: steps that optimisers took which move nothing of them.
    """

    def __init__(self, models: Sequence[nn.Module] | None) -> None:
        self.is_limited = models is not None
        self.elsewhere = 0
        self._modules = {id(part) for model in models or () for part in model.modules()}
        self._tensors = {id(tensor) for model in models or () for tensor in model.parameters()}

    def holds(self, module: nn.Module) -> bool:
        """Whether a module is watched, in whatever wrappers it is called."""
        return not self.is_limited or id(module) in self._modules or id(unwrapped(module)) in self._modules

    def concerns(self, optimisers: Iterable[Optimizer]) -> bool:
        """Whether one of the optimisers moves something that is watched."""
        groups = (group for optimiser in optimisers for group in optimiser.param_groups)
        if not self.is_limited:
            return next(groups, None) is not None
        return any(id(tensor) in self._tensors for group in groups for tensor in group["params"])

    def remarks(self, steps: int) -> list[str]:
        """What to say where so many training steps were seen: that all there was concerned other models."""
        times = "once" if self.elsewhere == 1 else f"{self.elsewhere:,} times"
        return [UNTOUCHED.format(times=times)] if self.elsewhere and not steps else []
