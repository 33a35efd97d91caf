"""One test for each name that goes over all cases of it: a test is not free, and a function has several."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import pytest


class Named(Protocol):
    """What a catalogue holds."""

    @property
    def name(self) -> str:
        """What it is called there."""
        ...


def over(argument: str, cases: Iterable[Named]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test of one case, which takes it as ``argument``, a test of a name; a failure says which case it was."""
    named: dict[str, list[Named]] = {}
    for case in cases:
        named.setdefault(case.name, []).append(case)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def together(name: str, **more: Any) -> None:
            for case in named[name]:
                try:
                    test(**{argument: case}, **more)
                except BaseException as error:
                    error.add_note(f"{argument}: {case!r}")
                    raise

        signature = inspect.signature(test)
        others = [one for one in signature.parameters.values() if one.name != argument]
        name = inspect.Parameter("name", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        together.__signature__ = signature.replace(parameters=[name, *others])  # type: ignore[attr-defined]
        return pytest.mark.parametrize("name", list(named))(together)

    return decorate
