"""Where causes are entered by name."""

from collections.abc import Callable

from limen.findings.finding import CAUSES, Cause, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

__all__ = ["EXPLANATIONS", "Explanation", "cause", "ranked"]

Explanation = Callable[[Vitals, Finding, Thresholds], Cause | None]

EXPLANATIONS: dict[str, Explanation] = {}
"""Every function that looks for evidence of a cause, by the cause."""


def cause(name: str) -> Callable[[Explanation], Explanation]:
    """Enter the function below under ``name``, which must be one of ``CAUSES``. Its docstring is its manual page."""
    if name not in CAUSES or name in EXPLANATIONS:
        raise ValueError(f"cause({name!r}): expected a cause of limen.findings.CAUSES that has no evidence yet.")

    def enter(function: Explanation) -> Explanation:
        EXPLANATIONS[name] = function
        return function

    return enter


def ranked(vitals: Vitals, finding: Finding, limits: Thresholds) -> tuple[Cause, ...]:
    """All causes of ``finding`` for which there is evidence, most likely first."""
    found = [explanation(vitals, finding, limits) for explanation in EXPLANATIONS.values()]
    known = [one for one in found if one is not None]
    return tuple(sorted(known, key=lambda one: (-one.confidence, CAUSES.index(one.name))))
