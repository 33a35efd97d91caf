"""What is drawn of a training is the same everywhere, within bounds, and never what its name states."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ward.cases import cases, sound_twin
from ward.drawing import BATCH, DEPTH, DRAW, NARROWEST, ORDINARY, RATE, SALT, WIDTH, digest, drawn
from ward.recipe import Recipe
from ward.sound import SOUND
from ward.tempting import TEMPTING

RECIPES = SOUND | TEMPTING
FREE = ("seed", "rate", "batch", "width", "depth")


def test_the_hash_is_that_of_the_salt_and_the_text() -> None:
    assert digest("a text") == hashlib.sha256(f"{SALT}: a text".encode()).digest()


@pytest.mark.parametrize("base", RECIPES)
def test_what_is_drawn_stays_near_and_the_rest_stays(base: str) -> None:
    recipe = RECIPES[base]
    for number in range(4):
        found = drawn(base, recipe, number)
        assert replace(found, **{name: getattr(recipe, name) for name in FREE}) == recipe
        assert found.rate in [recipe.rate * factor for factor in RATE]
        assert found.batch in [recipe.batch, *(recipe.batch * factor for factor in BATCH)]
        assert recipe.width * min(WIDTH) - 2 <= found.width <= recipe.width * max(WIDTH) + 2
        assert found.width == recipe.width or found.width % 4 == 0
        assert found.depth - recipe.depth in DEPTH
        assert found.depth >= min(recipe.depth, 2)


def test_shapes_that_are_published_and_batches_that_are_the_point_stay() -> None:
    narrow = Recipe(width=NARROWEST - 1, depth=5, batch=ORDINARY[0] - 1)
    found = [drawn("any", narrow, number) for number in range(20)]
    assert {(one.width, one.depth, one.batch) for one in found} == {(narrow.width, 5, narrow.batch)}
    assert len({one.seed for one in found}) == 20


def test_every_number_of_a_field_is_drawn() -> None:
    found = [drawn("any", Recipe(depth=4), number) for number in range(200)]
    assert {one.rate for one in found} == {Recipe().rate * factor for factor in RATE}
    assert {one.batch for one in found} == {32, 64, 128}
    assert {one.width for one in found} == {48, 64, 80, 96}
    assert {one.depth for one in found} == {3, 4, 5}


def test_the_halves_are_about_as_large_and_large_enough() -> None:
    every = list(cases().values())
    for sick in (True, False):
        own = [one.half for one in every if (one.fault is not None) == sick]
        assert len(own) >= 300
        assert 0.4 <= own.count("scored") / len(own) <= 0.6


def test_a_twin_differs_in_the_mistake_alone() -> None:
    for one in cases().values():
        if one.fault is not None:
            sound = drawn(one.base, SOUND[one.base], one.number)
            assert one.name == f"{one.base} · {one.fault.name} · {DRAW}{one.number}"
            assert one.recipe == replace(sound, **(one.fault.changes(sound) or {}))
            assert sound_twin(one) == replace(sound, **one.fault.beside)
