"""What became of the loss, in a sentence that no finding contradicts: both read the same trend."""

from __future__ import annotations

import numpy as np

from limen.findings import Thresholds
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.journal import Run
from limen.report.numbers import number, printable
from limen.vitals import LossVitals

__all__ = ["loss_title"]

LOST_AGAIN = 0.1  # share of a fall that must be lost again to be told: less is the noise of a level
NAMED = 3  # losses told one by one


def loss_title(run: Run) -> str:
    """What became of the loss."""
    losses = run.vitals.losses
    if len(losses) == 0:
        return "No loss was seen"
    if len(losses) > 1:
        parts = [f"{printable(one.function)} {_ends(one)}" for one in losses[:NAMED] if np.isfinite(one.value).any()]
        return f"{len(losses):,} losses: {', '.join(parts)}" if parts else "No loss was ever a finite number"
    loss = losses[0]
    known = np.isfinite(loss.value)
    if not known.any():
        return "The loss was never a finite number"
    if not known[-1]:
        return f"The loss stopped being a finite number at step {_first_lost(loss):,}"
    if len(loss.value) == 1:
        return f"The loss was {number(float(loss.value[0]))} at step {int(loss.step[0]):,}"
    trend = loss_trend(run.vitals, Thresholds())
    return f"The loss went {_ends(loss)}" if trend is None else _course(trend)


def _course(trend: LossTrend) -> str:
    start, end = number(trend.start), number(trend.end)
    if trend.ever_fell:
        lost = trend.end - trend.lowest
        if lost > max(trend.block_error, LOST_AGAIN * (trend.start - trend.lowest)):
            lowest = f"{number(trend.lowest)} by step {trend.lowest_step:,}"
            return f"The loss fell from {start} to {lowest}, then rose to {end}"
        return f"The loss fell from {start} to {end}"
    if trend.end - trend.start > max(trend.error, trend.required * abs(trend.start)):
        return f"The loss rose from {start} to {end}"
    return f"The loss hardly moved: {start} at the start, {end} at the end"


def _ends(loss: LossVitals) -> str:
    known = np.flatnonzero(np.isfinite(loss.value))
    first, last = known[0], known[-1]
    return f"from {number(float(loss.value[first]))} to {number(float(loss.value[last]))}"


def _first_lost(loss: LossVitals) -> int:
    last_finite = int(np.flatnonzero(np.isfinite(loss.value))[-1])
    return int(loss.step[last_finite + 1])
