"""What several rules ask about the same vitals, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

__all__ = ["once"]

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")


def once(function: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Ask ``function`` once for each of its first arguments, which remembers the answer for as long as it lives.

    The first argument must be a frozen dataclass without slots, the others hashable. The answer lies beside its fields
    and is none of them: equality, copies made by ``replace`` and journals do not know of it. Nobody may change it.
    """
    name = f"{function.__module__}.{function.__qualname__}"  # not the function: vitals may be pickled

    @wraps(function)
    def remembered(value: S, *args: P.args, **kwargs: P.kwargs) -> T:
        answers = vars(value).setdefault("answers", {})
        question = name, args, tuple(kwargs.items())
        if question not in answers:
            answers[question] = function(value, *args, **kwargs)
        return answers[question]

    return remembered
