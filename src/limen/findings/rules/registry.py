"""Where rules are entered by name."""

from collections.abc import Callable, Iterator

from limen.findings.finding import SYMPTOMS, Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals

__all__ = ["RULES", "Rule", "rule"]

Rule = Callable[[Vitals, Thresholds], Iterator[Finding]]

RULES: dict[str, Rule] = {}
"""Every rule by the symptom it looks for."""


def rule(name: str) -> Callable[[Rule], Rule]:
    """Enter the function below under ``name``, which must be one of ``SYMPTOMS``. Its docstring is its manual page."""
    if name not in SYMPTOMS or name in RULES:
        raise ValueError(f"rule({name!r}): expected a symptom of limen.findings.SYMPTOMS that has no rule yet.")

    def enter(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return enter
