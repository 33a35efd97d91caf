"""The manual page of a function as plain text, for ``limen explain``: what its docstring says, word for word."""

from __future__ import annotations

from limen.functions.subject import Subject

__all__ = ["page"]


def page(subject: Subject) -> str:
    """Formula, what to know and source of an entry, and where its sheet is."""
    return f"{subject.text}\n\n``limen functions {subject.name}`` prints its whole sheet and draws it."
