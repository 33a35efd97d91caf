"""The check of a model before its training."""

from __future__ import annotations

import inspect
import time
from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from limen.anatomy.tape import Sample, call_of
from limen.errors import InvalidValue
from limen.preflight.confirm import confirmed
from limen.preflight.limits import Limits
from limen.preflight.losses import Loss, function_of
from limen.preflight.measure import fly
from limen.preflight.rules import CHECKS
from limen.preflight.verdict import Preflight, verdict_of

__all__ = ["preflight"]


def preflight(
    model: nn.Module,
    sample: Sample,
    *,
    loss: Loss | None = None,
    target: Any = None,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    limits: Limits | None = None,
) -> Preflight:
    """What is wrong with a model before it is trained, from one pass over a sample.

    The model runs once, forwards and backwards, in the mode it is in; its weights, gradients, buffers and all random
    numbers are as before afterwards.

    Args:
        model: any module.
        sample: what the model is called with: a tensor, a tuple of positional arguments, or a mapping of named ones.
            A pair for a model that takes one argument is a sample and its target.
        loss: a callable of output and target, such as ``nn.CrossEntropyLoss()``, or its name (``"cross-entropy"``).
            A loss that the model computes itself is seen without it.
        target: what the loss compares with.
        optimizer: the optimiser, or a list of them, to see whether they hold the parameters.
        limits: other limits than the usual ones.

    Returns:
        The findings, worst first; ``print`` shows them, ``fix()`` mends what can be mended safely.

    Raises:
        InvalidValue: an argument that is not what it should be, or lazy parameters (also a ``ValueError``).
        SampleRefused: the forward pass raised; says in which layer, and what that layer takes (also a ``ValueError``).
        UnknownName: no loss bears the name (also a ``KeyError``).
    """
    began = time.perf_counter()
    if not is_module(model):
        if isinstance(model, type):
            raise InvalidValue(
                f"preflight(model={model.__name__}): a class was given. Make a model of it and pass that."
            )
        raise InvalidValue(f"preflight(model={type(model).__name__}): expected a torch.nn.Module.")
    sample, target = apart(model, sample, target)
    optimisers = [optimizer] if isinstance(optimizer, Optimizer) else optimizer
    flight = fly(model, sample, loss=function_of(loss), target=target, optimisers=optimisers)
    known = limits or Limits()
    found = [finding for _, rule in CHECKS.values() for finding in rule(flight, known)]
    findings = [confirmed(finding, flight.model, sample, known) for finding in found]
    return verdict_of(flight, findings, time.perf_counter() - began)


def is_module(given: object) -> bool:
    """Whether something is a module, whatever was promised of its type."""
    return isinstance(given, nn.Module)


def apart(model: nn.Module, sample: Sample, target: Any) -> tuple[Sample, Any]:
    """Sample and target; a sequence with one item more than the model takes ends in its target."""
    if target is not None or not isinstance(sample, tuple | list) or len(sample) < 2:
        return sample, target
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return sample, target
    if binds(signature, call_of(sample)[0]) or not binds(signature, tuple(sample[:-1])):
        return sample, target
    return tuple(sample[:-1]), sample[-1]


def binds(signature: inspect.Signature, args: tuple[Any, ...]) -> bool:
    """Whether a function could be called with these positional arguments."""
    try:
        signature.bind(*args)
    except TypeError:
        return False
    return True
