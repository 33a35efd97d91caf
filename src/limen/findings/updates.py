"""How hard the weights are pulled and how far they moved, as shares of themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limen.findings.figures import Floats, finite, median
from limen.findings.once import once
from limen.vitals import ParameterVitals, Vitals

__all__ = [
    "NEARLY_ZERO",
    "NEWBORN",
    "Jump",
    "is_adaptive",
    "largest_typical",
    "largest_update",
    "relative_gradient",
    "scale_at_birth",
    "typical_update",
    "warming_up",
]

NEARLY_ZERO = 0.05  # of the scale 1 / sqrt(fan in): weights begun at about zero may move by many times themselves
NEWBORN = 3  # steps: what is recorded later has been trained


@dataclass(frozen=True)
class Jump:
    """One step of one weight.

    Attributes:
        ratio: its update ratio.
        weight: name of the parameter.
        step: the training step.
        optimiser: index of the optimiser that took it; None for a hand-written update.
    """

    ratio: float
    weight: str
    step: int
    optimiser: int | None


@once
def scale_at_birth(seen: ParameterVitals) -> float:
    """Root mean square of a weight before the first update, times sqrt(fan in): 1.41 for He, 0.58 for torch's own.

    NaN for a parameter that is no weight or whose first rows were not recorded.
    """
    shape = seen.parameter.shape
    if not seen.parameter.weight or len(seen.history.step) == 0 or seen.history.step[0] > NEWBORN or 0 in shape:
        return float("nan")
    return float(seen.history.weight[0] / np.sqrt(shape[0]))  # norm / sqrt(out * in) * sqrt(in)


def relative_gradient(seen: ParameterVitals) -> Floats:
    """``[rows]``, gradient norm over weight norm."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return seen.history.gradient / seen.history.weight


def is_adaptive(vitals: Vitals, optimiser: int | None) -> bool:
    """Whether an optimiser scales its steps by the gradient's own history; False for a hand-written update."""
    return optimiser is not None and optimiser < len(vitals.optimisers) and vitals.optimisers[optimiser].adaptive


@once
def largest_update(vitals: Vitals, *, after: int = 0, until: int | None = None) -> Jump | None:
    """The largest update ratio of any weight in steps ``after < step <= until``; None where none was measured."""
    jumps = [jump for seen in vitals.parameters if (jump := _largest(seen, after, until)) is not None]
    return max(jumps, key=lambda jump: jump.ratio, default=None)


def _largest(seen: ParameterVitals, after: int, until: int | None) -> Jump | None:
    if not seen.parameter.weight or scale_at_birth(seen) < NEARLY_ZERO:
        return None
    history = seen.history
    wanted = np.isfinite(history.update) & (history.step > after)
    if until is not None:
        wanted &= history.step <= until
    rows = np.flatnonzero(wanted)
    if len(rows) == 0:
        return None
    row = int(rows[np.argmax(history.update[rows])])
    return Jump(float(history.update[row]), seen.parameter.name, int(history.step[row]), seen.optimiser)


@once
def typical_update(vitals: Vitals, window: int) -> tuple[float, float]:
    """Smallest and largest over the weights of the median update ratio in the last ``window`` rows; NaN without.

    Weights that began at about zero are left out, as in ``largest_update``: theirs tells how little there is of them.
    """
    weights = [one for one in vitals.parameters if one.parameter.weight and not scale_at_birth(one) < NEARLY_ZERO]
    medians = [median(finite(one.history.update)[-window:]) for one in weights]
    known = finite(medians)
    return (float(known.min()), float(known.max())) if len(known) else (float("nan"), float("nan"))


def largest_typical(vitals: Vitals, window: int) -> float:
    """The largest median update ratio of any weight in any stretch of ``window`` rows, of those that follow each other.

    Small only where no weight ever moved: a training that has come to rest moved before. NaN without.
    """
    weights = [one for one in vitals.parameters if one.parameter.weight and not scale_at_birth(one) < NEARLY_ZERO]
    typical = finite([_most(finite(one.history.update), window) for one in weights])
    return float(typical.max()) if len(typical) else float("nan")


def _most(row: Floats, window: int) -> float:
    whole = len(row) // window
    return float(np.median(row[: whole * window].reshape(whole, window), axis=1).max()) if whole else median(row)


def warming_up(vitals: Vitals, window: int) -> bool:
    """True while a learning rate still rises: small steps are meant to be small then."""
    return any(
        len(rates) > 1 and bool(rates[-1] > rates[0])
        for rates in (finite(one.learning_rate)[-window:] for one in vitals.optimisers)
    )
