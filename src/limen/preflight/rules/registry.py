"""Where the checks are entered by name."""

from collections.abc import Callable, Iterator

from limen.findings import CAUSES, Finding
from limen.preflight.flight import Flight
from limen.preflight.limits import Limits

__all__ = ["CHECKS", "Check", "check"]

Check = Callable[[Flight, Limits], Iterator[Finding]]

CHECKS: dict[str, tuple[str, Check]] = {}
"""Every check by its own name, with the cause that it looks for."""


def check(cause: str) -> Callable[[Check], Check]:
    """Enter the function below, which looks for ``cause``, one of ``CAUSES``. Its docstring is a manual page."""
    if cause not in CAUSES:
        raise ValueError(f"check({cause!r}): expected a cause of limen.findings.CAUSES.")

    def enter(function: Check) -> Check:
        CHECKS[function.__name__] = (cause, function)
        return function

    return enter
