"""The cases: sound trainings, the same with one fault each, and sound ones that tempt a tool to raise an alarm."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from limen.errors import UnknownName
from ward.drawing import DRAW, digest, drawn
from ward.faults import FAULTS, Fault
from ward.recipe import Recipe
from ward.sound import SOUND
from ward.tempting import TEMPTING

__all__ = ["HARMLESS", "Case", "Half", "case", "cases", "sound_twin"]

Half = Literal["tuning", "scored"]


@dataclass(frozen=True)
class Case:
    """One training and what is known of it.

    Attributes:
        name: unique; what ``ward.train`` is called with.
        base: name of the sound recipe that it comes from.
        number: of the draw of what is left to chance in that recipe.
        fault: what is wrong with it; None for a sound one.
        recipe: how it is trained.
    """

    name: str
    base: str
    number: int
    fault: Fault | None
    recipe: Recipe

    @property
    def half(self) -> Half:
        """Rules may be tuned on one half. The base decides, so that a fault and its sound twin stay together."""
        return "tuning" if digest(self.base)[0] % 2 else "scored"

    @property
    def is_quick(self) -> bool:
        """Whether it takes about a second."""
        return self.recipe.data not in ("fashion", "text") and self.recipe.steps <= 300 and self.recipe.depth < 12

    @property
    def architecture(self) -> str:
        """Of the sound recipe that it comes from."""
        return (SOUND[self.base] if self.base in SOUND else TEMPTING[self.base]).architecture


TRAININGS = 3  # of each sound recipe
OF_EACH = 10  # cases of each fault
ROUNDS = 4  # draws that are tried for them

HARMLESS = Path(__file__).parent / "harmless.txt"
"""Cases whose fault turned out to do no harm, one a line: ``ward.harm`` finds them, and others take their place."""


@functools.cache
def cases() -> dict[str, Case]:
    """All cases by name."""
    return {found.name: found for found in (*sound(), *faulty())}


def case(name: str) -> Case:
    """The case of that name.

    Raises:
        UnknownName: there is none (also a ``KeyError``).
    """
    if name not in cases():
        raise UnknownName.of("case", name, cases())
    return cases()[name]


def sound() -> Iterator[Case]:
    for base, recipe in (SOUND | TEMPTING).items():
        for number in range(TRAININGS):
            yield Case(f"{base} · {DRAW}{number}", base, number, None, drawn(base, recipe, number))


def sound_twin(one: Case) -> Recipe:
    """The training of a faulty case without its fault."""
    recipe = drawn(one.base, SOUND[one.base], one.number)
    return replace(recipe, **one.fault.beside) if one.fault is not None else recipe


def faulty() -> Iterator[Case]:
    """The first ``OF_EACH`` cases of each fault that do harm."""
    harmless = set(HARMLESS.read_text().splitlines())
    for fault in FAULTS:
        does = (one for one in candidates(fault) if one.name not in harmless)
        yield from itertools.islice(does, OF_EACH)


def candidates(fault: Fault) -> Iterator[Case]:
    """Every case of a fault: its architectures by turns, each with its recipes in the order of their hashes."""
    kinds: dict[str, list[str]] = {}
    for base, recipe in SOUND.items():
        if fault.changes(recipe) is not None:
            kinds.setdefault(recipe.architecture, []).append(base)
    by_turns = [sorted(kinds[kind], key=hash_with(fault)) for kind in sorted(kinds, key=hash_with(fault))]
    bases = [base for turn in itertools.zip_longest(*by_turns) for base in turn if base is not None]
    for number in range(ROUNDS):
        for base in bases:
            recipe = drawn(base, SOUND[base], number)
            changed = replace(recipe, **(fault.changes(recipe) or {}))
            yield Case(f"{base} · {fault.name} · {DRAW}{number}", base, number, fault, changed)


def hash_with(fault: Fault) -> Callable[[str], bytes]:
    return lambda name: digest(f"{name} {fault.name}")
