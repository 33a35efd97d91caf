"""The usual way of a step, in C, where there was a compiler and torch tells C where its tensors lie (from 2.10 on).

Without it nothing is missing but speed: every step is seen in full.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["COMPILED", "Follower", "Glance", "Role", "State"]

VERSION = 1  # of quick.c


@dataclass(eq=False)
class PlainState:
    """As ``State``."""

    waiting: deque[Any]
    closed: bool = False
    busy: int = 0
    cost: float = 0.0
    samples: int = 0
    takes_histogram: bool = True
    is_scaled: bool = False


_found: Any = None
with suppress(ImportError):
    from limen.probe.quick import _quick as _found
COMPILED = _found is not None and _found.VERSION == VERSION

if TYPE_CHECKING:
    from limen.probe.quick._quick import Follower, Glance, Role, State
elif COMPILED:
    Follower, Glance, Role, State = _found.Follower, _found.Glance, _found.Role, _found.State
else:
    Follower = Glance = Role = None
    State = PlainState
