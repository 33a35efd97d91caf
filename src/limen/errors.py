"""Everything limen raises on purpose.

    LimenError
    ├── UnknownName          (also KeyError)     a name that no activation, finding or remedy bears
    ├── InvalidValue         (also ValueError)   an argument outside what the call accepts
    ├── WrongType            (also TypeError)    an argument of a type that the call cannot use
    ├── SampleRefused        (also ValueError)   a model's forward pass raised on the sample it was given
    ├── MissingPackage       (also ImportError)  an optional package or data set that is not installed
    ├── UnreadableJournal    (also OSError)      not a journal, of another version, or too damaged to read
    ├── UnwritablePath       (also OSError)      a report or journal that could not be created
    └── WatchRefused         (also RuntimeError) a watch that cannot begin here

Each message says what was asked, what was found and what to do next.
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "InvalidValue",
    "LimenError",
    "MissingPackage",
    "SampleRefused",
    "UnknownName",
    "UnreadableJournal",
    "UnwritablePath",
    "WatchRefused",
    "WrongType",
]


class LimenError(Exception):
    """Base of all errors that limen raises on purpose."""

    def __str__(self) -> str:  # KeyError would print the repr of its message
        return str(self.args[0]) if self.args else ""


class UnknownName(LimenError, KeyError):
    """A name was asked for that does not exist."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> "UnknownName":
        """The error for ``name``, with the nearest of the ``known`` names as a suggestion.

        >>> str(UnknownName.of("activation", "gleu", ["gelu", "relu"]))
        "No activation is named 'gleu'. Did you mean 'gelu'?"
        """
        names = sorted(known)
        turned = [other for other in names if sorted(other) == sorted(name)]  # two letters in the other order
        near = turned or difflib.get_close_matches(name, names, n=1)
        advice = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
        return cls(f"No {kind} is named {name!r}. {advice}")


class InvalidValue(LimenError, ValueError):
    """An argument is outside what the call accepts."""


class WrongType(LimenError, TypeError):
    """An argument is of a type that the call cannot use, for instance a tensor of integers."""


class SampleRefused(LimenError, ValueError):
    """A model's forward pass raised on the sample it was given."""


class MissingPackage(LimenError, ImportError):
    """An optional package or data set is needed and not installed."""


class UnreadableJournal(LimenError, OSError):
    """A file is not a journal, is of another version, or is too damaged to read."""


class UnwritablePath(LimenError, OSError):
    """A file that was asked for cannot be created."""


class WatchRefused(LimenError, RuntimeError):
    """A watch cannot begin here, for instance inside one that is limited to other models."""
