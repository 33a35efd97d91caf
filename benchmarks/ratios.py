"""What is made of the times: ratios within a round, quartiles, shares. Values in, values out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["AGAIN", "BARE", "Clock", "Cost", "Quartiles", "Turn", "block_steps", "costs", "joins", "quartiles"]

BARE, AGAIN = "bare", "again"
PATIENCE = 2.0  # a mode may take so many times the seconds of the bare training before it sits rounds out

Clock = Literal["wall", "cpu"]
Quartiles = tuple[float, float, float]
"""Lower quartile, median, upper quartile."""


@dataclass(frozen=True)
class Turn:
    """Some steps of one process: seconds of the wall clock, of all its threads, and within limen's own account."""

    steps: int
    wall: float
    cpu: float
    inside: float | None

    def step(self, clock: Clock) -> float:
        """Seconds for one step."""
        return (self.wall if clock == "wall" else self.cpu) / self.steps


Round = Mapping[str, Turn]
"""By mode; a slow mode sits some rounds out."""


@dataclass(frozen=True)
class Cost:
    """What one mode costs.

    Attributes:
        rounds: in which it was measured.
        ratio: its step in steps of the bare training of the same round.
        inside: seconds that limen says it took, over the seconds of the training without them; None for the others.
    """

    rounds: int
    ratio: Quartiles
    inside: float | None


def quartiles(values: Sequence[float]) -> Quartiles:
    """Of one value or more."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def costs(rounds: Sequence[Round], clock: Clock) -> dict[str, Cost]:
    """What each mode costs beside the bare training; the second bare one beside the first, which shows the noise."""
    modes = dict.fromkeys(mode for turns in rounds for mode in turns if mode != BARE)
    return {mode: cost([turns for turns in rounds if mode in turns], mode, clock) for mode in modes}


def cost(rounds: Sequence[Round], mode: str, clock: Clock) -> Cost:
    ratios: list[float] = []
    for turns in rounds:
        beside = [BARE] if mode == AGAIN else [BARE, AGAIN]
        ratios.append(turns[mode].step(clock) / statistics.mean(turns[name].step(clock) for name in beside))
    return Cost(len(rounds), quartiles(ratios), inside([turns[mode] for turns in rounds]))


def inside(turns: Sequence[Turn]) -> float | None:
    """The share of the bare training that limen says it took."""
    taken = [turn.inside for turn in turns if turn.inside is not None]
    return sum(taken) / (sum(turn.wall for turn in turns) - sum(taken)) if taken else None


def block_steps(block: float, step: float) -> int:
    """Steps of ``step`` seconds in a block of so many, at least one."""
    return max(1, round(block / step))


def joins(mode: str, used: Mapping[str, float]) -> bool:
    """Whether a mode takes part in the next round, by the seconds that each has used: a slow one sits some out."""
    return mode in (BARE, AGAIN) or used[mode] <= PATIENCE * used[BARE]
