"""Lower the learning rate of a running optimiser so that it stays lowered under its schedule."""

import gc
from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from limen.errors import InvalidValue
from limen.journal import TreatmentRecord
from limen.treatments.applied import Applied, Refused
from limen.treatments.entries import Undo, undo_all

__all__ = ["NAME", "lower_learning_rate"]

NAME = "lower-learning-rate"

GROUP_RATES = ("lr", "initial_lr", "max_lr", "min_lr", "swa_lr")
"""Rates in a parameter group: the current one and those that a schedule computes it from."""

SCHEDULE_RATES = ("base_lrs", "max_lrs", "_last_lr")
"""Lists of rates in a schedule, one for each group."""


def lower_learning_rate(
    optimiser: Optimizer | None, factor: float, *, step: int = 0, finding: str = ""
) -> Applied | Refused:
    """Multiply every learning rate of an optimiser, and those its schedules start from, by ``factor``.

    Schedules are the live ``torch.optim.lr_scheduler`` objects on this optimiser. A script that sets the rate
    itself at every step overrules the change; then the recorded learning rate shows it.

    Args:
        optimiser: a live optimiser; None for a hand-written update.
        factor: in (0, 1).
        step: the step after which this happens, for the record.
        finding: key of the finding it answers, for the record.

    Returns:
        The change and its undo, or the reason why nothing was changed.

    Raises:
        InvalidValue: ``factor`` is not in (0, 1).
    """
    if not 0.0 < factor < 1.0:
        raise InvalidValue(
            f"lower_learning_rate(factor={factor}): expected a number between 0 and 1, "
            "by which the learning rate is multiplied; 0.1 makes it ten times smaller."
        )
    if optimiser is None:
        return Refused(NAME, "hand-written update", "the script updates its weights itself: it holds the learning rate")
    before = float(optimiser.param_groups[0]["lr"])
    seen: set[int] = set()  # a Tensor may stand in several places, and is changed once
    undos = [scale(holder, key, factor, seen) for holder, key in rates(optimiser)]
    after = float(optimiser.param_groups[0]["lr"])
    record = TreatmentRecord(
        name=NAME,
        where=type(optimiser).__name__,
        step=step,
        kept=True,
        detail=f"learning rate of {type(optimiser).__name__} multiplied by {factor:.3g}, "
        f"from {before:.3g} to {after:.3g}",
        before={"learning rate": before},
        after={"learning rate": after},
        finding=finding,
    )
    return Applied(record, undo_all(undos))


Place = tuple[MutableMapping[Any, Any] | MutableSequence[Any], Any]


def rates(optimiser: Optimizer) -> Iterator[Place]:
    """All places that hold a learning rate of this optimiser: a container and a key or position."""
    for group in optimiser.param_groups:
        yield from ((group, name) for name in GROUP_RATES if group.get(name) is not None)
    for schedule in schedules(optimiser):
        attributes = vars(schedule)
        for name in SCHEDULE_RATES:
            values = attributes.get(name)
            if isinstance(values, list):
                yield from ((values, position) for position in range(len(values)))
        if "eta_min" in attributes:  # cosine schedules: the rate they end at
            yield attributes, "eta_min"


def schedules(optimiser: Optimizer) -> Iterator[LRScheduler]:
    """The live schedules of this optimiser: nothing in torch leads from an optimiser to them."""
    for thing in gc.get_objects():
        if issubclass(type(thing), LRScheduler) and vars(thing).get("optimizer") is optimiser:  # never asks the object
            yield thing


def scale(holder: Any, key: Any, factor: float, seen: set[int]) -> Undo:
    """Multiply one rate, a Tensor (capturable optimisers) in place; returns what puts it back."""
    value = holder[key]
    if not isinstance(value, Tensor):
        holder[key] = value * factor
        return lambda: holder.__setitem__(key, value)
    rate = value.detach()
    old = rate.clone()
    if id(value) not in seen:
        seen.add(id(value))
        rate.mul_(factor)

    def undo() -> None:
        rate.copy_(old)

    return undo
