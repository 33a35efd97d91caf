"""What is known of an optimiser from the outside."""

from __future__ import annotations

import gc

from torch.optim import Optimizer

__all__ = ["ascends", "is_adaptive", "live_optimisers"]

ADAPTIVE = ("Adam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "Adafactor", "Lion", "Muon", "Lamb")


def live_optimisers() -> list[Optimizer]:
    """All optimisers that exist now. Looks through every object once: call rarely."""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), Optimizer)]


def is_adaptive(optimiser: Optimizer) -> bool:
    """Whether each entry's step is scaled by its own gradient history."""
    return any(name in kind.__name__ for kind in type(optimiser).__mro__ for name in ADAPTIVE)


def ascends(optimiser: Optimizer) -> bool:
    """Whether it was told to maximise the loss, in all of its groups."""
    return bool(optimiser.param_groups) and all(group.get("maximize") is True for group in optimiser.param_groups)
