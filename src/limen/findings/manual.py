"""Manual pages of symptoms, causes and remedies."""

import inspect

from limen.errors import UnknownName
from limen.findings.causes import EXPLANATIONS
from limen.findings.remedies import PAGES
from limen.findings.rules import RULES

__all__ = ["page", "pages"]


def pages() -> tuple[str, ...]:
    """Names that have a manual page: symptoms, then causes, then remedies."""
    return (*RULES, *EXPLANATIONS, *PAGES)


def page(name: str) -> str:
    """The manual page of a symptom, cause or remedy, as plain text.

    Args:
        name: One of ``pages()``.

    Returns:
        A title line and the page below it.

    Raises:
        UnknownName: There is no page of this name (also a ``KeyError``); the nearest name is suggested.

    >>> print(page("clip-gradients").splitlines()[0])
    clip-gradients (remedy)
    """
    if name in PAGES:
        return f"{name} (remedy)\n\n{PAGES[name]}"
    entry = RULES.get(name) or EXPLANATIONS.get(name)
    if entry is None:
        raise UnknownName.of("symptom, cause or remedy", name, pages())
    return f"{name} ({'symptom' if name in RULES else 'cause'})\n\n{inspect.getdoc(entry)}"
