"""Every recipe of the ward can be trained; the sound ones are sound at their first steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ward.cases import cases
from ward.data import lacking
from ward.faults import FAULTS
from ward.sound import SOUND
from ward.tempting import TEMPTING
from ward.train import train

RECIPES = {**SOUND, **TEMPTING}


def needs(data: str) -> None:
    if reason := lacking(data):
        pytest.skip(reason)


@pytest.mark.parametrize("base", RECIPES)
def test_a_sound_recipe_trains_with_finite_weights(base: str) -> None:
    recipe = RECIPES[base]
    needs(recipe.data)
    model = train(replace(recipe, steps=3)).model
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())


@pytest.mark.parametrize("fault", [fault.name for fault in FAULTS])
def test_a_faulty_recipe_runs_to_its_end(fault: str) -> None:
    one = next(one for one in cases().values() if one.fault is not None and one.fault.name == fault)
    needs(one.recipe.data)
    train(replace(one.recipe, steps=2))
