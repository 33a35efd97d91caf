"""What could not be watched, and how an error at one place is taken."""

from __future__ import annotations

from limen.probe.guard import is_of_a_signal
from limen.probe.site_book import Place

__all__ = ["Troubles"]


class Troubles:
    """Notes for the reader of the report.

    Args:
        strict: pass errors on, instead of watching that place no longer.

    Attributes:
        notes: one for each subject, the first.
    """

    def __init__(self, *, strict: bool) -> None:
        self.notes: dict[str, str] = {}
        self._strict = strict

    def note(self, subject: str, text: str) -> None:
        """Note something once."""
        self.notes.setdefault(subject, text)

    def meet(self, error: Exception, note: str = "") -> None:
        """Go on after an error at one place, unless the watch is strict or the error is not limen's."""
        if self._strict or is_of_a_signal(error):
            raise error
        if note:
            self.note(note, note)

    def compiled(self, error: Exception | None, remark: str) -> None:
        """Hear what came of reading compiled code."""
        if self._strict and error is not None:
            raise error
        if remark:
            self.note("compiled", remark)

    def drop(self, place: Place, step: int, error: Exception) -> None:
        """Watch a place no longer that cannot be read; the others go on."""
        self.meet(error)
        place.trouble = f"since step {step} ({type(error).__name__}: {error})"
