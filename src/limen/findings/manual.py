"""Manual pages of symptoms, causes and remedies, and of the words they are told in."""

import inspect

from limen.errors import UnknownName
from limen.findings.causes import EXPLANATIONS, FACTS
from limen.findings.glossary import WORDS
from limen.findings.remedies import PAGES
from limen.findings.rules import RULES

__all__ = ["kinds", "page", "pages"]


def kinds() -> dict[str, tuple[str, ...]]:
    """Names that have a manual page, by their kind: symptom, cause, remedy and word."""
    causes = tuple(dict.fromkeys((*EXPLANATIONS, *FACTS)))
    return {"symptom": tuple(RULES), "cause": causes, "remedy": tuple(PAGES), "word": tuple(WORDS)}


def pages() -> tuple[str, ...]:
    """Names that have a manual page: symptoms, then causes, then remedies, then words."""
    return tuple(name for names in kinds().values() for name in names)


def page(name: str) -> str:
    """The manual page of a symptom, cause, remedy or word, as plain text.

    Args:
        name: One of ``pages()``.

    Returns:
        A title line and the page below it.

    Raises:
        UnknownName: There is no page of this name (also a ``KeyError``); the nearest name is suggested.

    >>> print(page("clip-gradients").splitlines()[0])
    clip-gradients (remedy)
    """
    kind = next((kind for kind, names in kinds().items() if name in names), None)
    if kind is None:
        raise UnknownName.of("symptom, cause, remedy or word", name, pages())
    text = PAGES.get(name) or WORDS.get(name) or inspect.getdoc(_explained_by(name))
    return f"{name} ({kind})\n\n{text}"


def _explained_by(name: str) -> object:
    """The function whose docstring is the page: of a cause that is also seen by itself, that of its explanation."""
    return RULES.get(name) or EXPLANATIONS.get(name) or FACTS[name].sight
