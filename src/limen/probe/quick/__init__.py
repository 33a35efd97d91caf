"""The usual way of a step, in C, where there was a compiler and torch tells C where its tensors lie (2.13 does).

Without it nothing is missing but speed: every look is a full one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["COMPILED", "IN_USE", "Closing", "Follower", "Glance", "Role", "State", "Stretch", "Surprise"]

VERSION = 6  # of quick.c


@dataclass(eq=False)
class PlainState:
    """As ``State``."""

    waiting: deque[Any]
    closed: bool = False
    busy: int = 0
    cost: float = 0.0
    samples: int = 0
    batch: int = 0
    takes_histogram: bool = True
    is_scaled: bool = False


_found: Any = None
try:
    _found = import_module("limen.probe.quick._quick")
except ModuleNotFoundError:
    _reason = "not compiled at installation"
except ImportError as error:
    _reason = str(error)
else:
    _reason = "" if _found.VERSION == VERSION else "compiled from another version of limen: install limen again"
COMPILED = not _reason

IN_USE = "compiled" if COMPILED else f"python ({_reason})"
"""Which way serves, and why."""

if TYPE_CHECKING:
    from limen.probe.quick._quick import Closing, Follower, Glance, Role, State, Stretch, Surprise
elif COMPILED:
    Follower, Glance, Role = _found.Follower, _found.Glance, _found.Role
    State, Stretch, Surprise, Closing = _found.State, _found.Stretch, _found.Surprise, _found.Closing
else:
    Closing = Follower = Glance = Role = Stretch = Surprise = None
    State = PlainState
