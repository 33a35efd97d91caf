"""What chance decides of a training: its seed, and the numbers that its name does not state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from ward.recipe import Recipe

__all__ = ["DRAW", "SALT", "digest", "drawn"]

DRAW = "b"
"""The letter in the name of each case: of which draw it is.

``a``, the first, had the seeds 0, 1, 2 and the numbers of ``sound.py`` and ``tempting.py`` as they stand. Rules were
made beside it, and by the end the cases of its scored half that limen missed were known one by one. ``b`` was drawn
then, before any rule was judged by it: other halves, other seeds, other numbers, and other cases of each fault.
"""

SALT = "the second draw of the ward, November 2026"

RATE = (0.7, 0.85, 1.0, 1.2, 1.4)
BATCH = (0.5, 1.0, 2.0)
WIDTH = (0.75, 1.0, 1.25, 1.5)
DEPTH = (-1, 0, 1)
"""What the learning rate, the batch and the width are multiplied by, and what is added to the depth: little enough that
a sound training stays one, which ``ward.harm`` measures."""

ORDINARY = (32, 64)
"""The smallest and the largest batch that is not what a recipe is about."""
NARROWEST = 8
"""Narrower nets are as somebody published them, or about being narrow: their shape stays."""


def digest(text: str) -> bytes:
    """A number that is the same everywhere and that nobody chose."""
    return hashlib.sha256(f"{SALT}: {text}".encode()).digest()


def drawn(base: str, recipe: Recipe, number: int) -> Recipe:
    """The ``number``-th training of the sound recipe called ``base``.

    Drawn are the seed and the learning rate, the batch where it is of an ordinary size, the width, and the depth of
    nets of three and more layers.
    """
    pick = picker(f"{base} · {DRAW}{number}")
    seed = int.from_bytes(digest(f"{base} · {DRAW}{number} · seed")[:4]) // 2
    found = replace(recipe, seed=seed, rate=recipe.rate * pick("rate", RATE))
    if ORDINARY[0] <= recipe.batch <= ORDINARY[1]:
        found = replace(found, batch=round(recipe.batch * pick("batch", BATCH)))
    if recipe.width >= NARROWEST:
        width = 4 * round(recipe.width * pick("width", WIDTH) / 4)  # attention has four heads
        found = replace(found, width=max(width, NARROWEST))
        if recipe.depth > 2:
            found = replace(found, depth=recipe.depth + round(pick("depth", DEPTH)))
    return found


def picker(training: str) -> Callable[[str, Sequence[float]], float]:
    """What chooses one of some numbers for a field of a training."""
    return lambda field, numbers: numbers[digest(f"{training} · {field}")[0] % len(numbers)]
