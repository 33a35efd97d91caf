"""Finding an entry however its name is written."""

from __future__ import annotations

import re
from typing import Any

from limen.activations import names
from limen.functions.subject import Subject, of_name

__all__ = ["bare", "look_up"]


def bare(name: str) -> str:
    """Letters and figures alone, so that a name is found however it is written.

    >>> bare("Leaky ReLU") == bare("leaky_relu")
    True
    """
    return re.sub(r"[\W_]+", "", name).lower()


def look_up(name: str, **parameters: Any) -> Subject:
    """The entry of that name; case, spaces, hyphens and underscores do not matter.

    Raises:
        UnknownName: there is none; the nearest is suggested (also a ``KeyError``).
        InvalidValue: a parameter that it does not have or cannot take (also a ``ValueError``).
    """
    known = {bare(one): one for one in names()}
    return of_name(known.get(bare(name), name), **parameters)
