"""The figures of the ward: hits, false alarms, causes, time to detection; with intervals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ward.outcome import Outcome

__all__ = ["Score", "Share", "score", "share"]


@dataclass(frozen=True)
class Share:
    """``count`` of ``of``, with a 95 % interval.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where it lies with 95 % certainty."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.value
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max((middle - half) / (1 + z * z / n), 0.0), min((middle + half) / (1 + z * z / n), 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count}/{self.of} = {100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def share(holds: Iterable[bool]) -> Share:
    """How many of these hold."""
    found = list(holds)
    return Share(sum(found), len(found))


@dataclass(frozen=True)
class Score:
    """All figures of a set of outcomes.

    Attributes:
        recall: faults of which something was said that they show.
        false_alarms: sound runs with a finding of severity warning or above.
        first: faults whose cause stands first.
        third: faults whose cause is among the first three.
        helped: faults of which an alarm that fits names a remedy that helps.
        step: median share of the run at which a fault was told; NaN where none was.
        failed: cases without a result.
    """

    recall: Share
    false_alarms: Share
    first: Share
    third: Share
    helped: Share
    step: float
    failed: int


def score(outcomes: Sequence[Outcome]) -> Score:
    """The figures of some outcomes."""
    sick = [one for one in outcomes if one.fault is not None and not one.error]
    sound = [one for one in outcomes if one.fault is None and not one.error]
    steps = [one.step for one in sick if one.step is not None]
    return Score(
        recall=share(one.found for one in sick),
        false_alarms=share(bool(one.alarms) for one in sound),
        first=share(one.right == 1 for one in sick),
        third=share(one.right is not None and one.right <= 3 for one in sick),
        helped=share(one.helped for one in sick),
        step=statistics.median(steps) if steps else math.nan,
        failed=sum(bool(one.error) for one in outcomes),
    )
