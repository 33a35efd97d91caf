"""Carry out one step of a plan on the live training."""

from collections.abc import Mapping, Sequence

import torch
from torch.optim import Optimizer

from limen.anatomy import Wiring
from limen.errors import UnknownName
from limen.treatments.applied import Applied, Refused
from limen.treatments.lower_learning_rate import NAME as LOWER_LEARNING_RATE
from limen.treatments.lower_learning_rate import lower_learning_rate
from limen.treatments.plan import Step
from limen.treatments.revive_units import NAME as REVIVE_UNITS
from limen.treatments.revive_units import revive_units

__all__ = ["apply"]


def apply(
    step: Step,
    *,
    wirings: Mapping[str, Wiring],
    optimisers: Sequence[Optimizer],
    generator: torch.Generator,
    at: int,
) -> Applied | Refused:
    """Apply one planned treatment.

    Args:
        step: from ``plan``.
        wirings: by name of site.
        optimisers: live, in the order of ``Vitals.optimisers``; empty for a hand-written update.
        generator: limen's own, on the CPU.
        at: the training step after which this happens, for the record.

    Returns:
        The change and its undo, or the reason why nothing was changed.

    Raises:
        UnknownName: the step names a treatment that is not built in (also a ``KeyError``).
    """
    if step.name == LOWER_LEARNING_RATE:
        found = step.optimiser is not None and step.optimiser < len(optimisers)
        live = optimisers[step.optimiser or 0] if found else None
        return lower_learning_rate(live, step.factor, step=at, finding=step.finding)
    if step.name == REVIVE_UNITS:
        if step.where not in wirings:
            return Refused(step.name, step.where, f"the weights around {step.where} were not found")
        wiring = wirings[step.where]
        return revive_units(wiring, step.units, optimisers, generator=generator, step=at, finding=step.finding)
    raise UnknownName.of("treatment", step.name, [LOWER_LEARNING_RATE, REVIVE_UNITS])
