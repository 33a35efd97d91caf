"""How long a training has lasted, and what limen has taken of it."""

from __future__ import annotations

from limen.probe import guard
from limen.probe.budget import Budget
from limen.probe.quick import State

__all__ = ["IDLE", "Bill"]

IDLE = 14e-6  # seconds for the taps of one step while the eyes are closed, beside what they measure themselves


class Bill:
    """Hands the cost of each step to the budget.

    Args:
        budget: keeps the account.
        state: holds the seconds that were taken of the current step.
    """

    def __init__(self, budget: Budget, state: State) -> None:
        self._budget = budget
        self._state = state
        self._started: float | None = None
        self._boundary = 0.0

    @property
    def seconds(self) -> float:
        """Wall time from the first forward or backward pass to the end of the last step that was entered."""
        return 0.0 if self._started is None else self._boundary - self._started

    def start(self) -> None:
        """A pass begins; only the first counts."""
        if self._started is None:
            self._started = self._boundary = guard.clock()

    def enter(self, looked: bool, dispatch: float, *, steps: int = 1, until: float | None = None) -> None:
        """Close some steps.

        Args:
            looked: whether they were looked at.
            dispatch: seconds that were taken of them beside what was measured.
            steps: how many.
            until: when the last of them ended; None for now.
        """
        end = guard.clock() if until is None else until
        self._budget.account(looked, self._state.cost + dispatch, end - self._boundary, steps)
        self._state.cost, self._boundary = 0.0, end
