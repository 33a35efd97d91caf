import dataclasses

import numpy as np
import pytest

from limen.findings.profile import gradient_profiles
from tests.findings.patients import Layer, Patient

LAYERS = tuple(
    Layer(f"l{i}", gradient=10.0**i, weight_gradient=2.0**i, update=3.0**i, scale=1.0, units=16) for i in range(4)
)


def test_the_profile_runs_from_the_first_layer_to_the_last() -> None:
    (profile,) = gradient_profiles(Patient(LAYERS).vitals, 20)
    assert [rung.site.name for rung in profile.rungs] == ["l0", "l1", "l2", "l3"]
    assert profile.ratio == pytest.approx(1e-3)
    assert profile.factor == pytest.approx(0.1)
    assert profile.starvation == pytest.approx(1 / 8)
    assert profile.slowness == pytest.approx(1 / 27)
    assert profile.order == 1.0
    assert profile.rungs[0].relative == pytest.approx(1.0 / 4.0)  # gradient 1, weight norm 1.0 * sqrt(16)


def test_each_model_has_its_own() -> None:
    layers = tuple(dataclasses.replace(one, model="G" if i < 2 else "D") for i, one in enumerate(LAYERS))
    assert [profile.depth for profile in gradient_profiles(Patient(layers).vitals, 20)] == [2, 2]


def test_frozen_layers_and_a_single_layer_have_no_place_in_it() -> None:
    layers = (dataclasses.replace(LAYERS[0], gradient=np.nan, weight_gradient=np.nan), *LAYERS[1:])
    (profile,) = gradient_profiles(Patient(layers).vitals, 20)
    assert profile.rungs[0].site.name == "l1"
    assert gradient_profiles(Patient(LAYERS[:1]).vitals, 20) == ()


def test_only_the_latest_rows_count_and_none_after_a_break() -> None:
    drop = tuple(dataclasses.replace(one, gradient=lambda t: np.where(t > 380, 1.0, 9.0)) for one in LAYERS)
    vitals = Patient(drop).vitals
    assert gradient_profiles(vitals, 20)[0].rungs[0].gradient == 1.0
    assert gradient_profiles(vitals, 20, before=380)[0].rungs[0].gradient == 9.0
    assert gradient_profiles(vitals, 20, before=1) == ()


def test_a_gradient_of_zero_at_both_ends_is_no_ratio() -> None:
    layers = tuple(dataclasses.replace(one, gradient=0.0) for one in LAYERS)
    assert gradient_profiles(Patient(layers).vitals, 20)[0].ratio == 1.0
