import numpy as np
import pytest

from limen.findings.updates import is_adaptive, largest_update, relative_gradient, scale_at_birth, typical_update
from limen.vitals import OptimiserVitals, Vitals
from tests.findings.patients import Layer, Patient

JUMP = lambda t: np.where(t == 7, 0.5, 1e-3)  # noqa: E731


def test_the_largest_update_has_its_step_and_weight() -> None:
    vitals = Patient((Layer("a"), Layer("b", update=JUMP))).vitals
    jump = largest_update(vitals)
    assert jump is not None
    assert (jump.ratio, jump.weight, jump.step, jump.optimiser) == (0.5, "b.linear.weight", 7, 0)
    early, late = largest_update(vitals, until=6), largest_update(vitals, after=7)
    assert early is not None
    assert late is not None
    assert early.ratio == late.ratio == 1e-3


def test_weights_that_begin_at_zero_may_move_by_many_times_themselves() -> None:
    vitals = Patient((Layer("a"), Layer("zero", update=50.0, scale=1e-3)), classes=0).vitals
    jump = largest_update(vitals)
    assert jump is not None
    assert jump.weight == "a.linear.weight"


def test_unmeasured_updates_are_none() -> None:
    vitals = Patient((Layer("a", update=np.nan),)).vitals
    assert largest_update(vitals) is None
    assert np.isnan(typical_update(vitals, 20)).all()


def test_typical_updates_span_the_slowest_and_the_fastest_weight() -> None:
    vitals = Patient((Layer("a", update=1e-5), Layer("b", update=1e-2))).vitals
    assert typical_update(vitals, 20) == pytest.approx((1e-5, 1e-2))


def test_the_scale_at_birth_is_the_root_mean_square_times_the_root_of_the_fan_in() -> None:
    weight = Patient((Layer("a", scale=1.41, units=7, fan_in=50),)).vitals.parameters[0]
    rms = weight.history.weight[0] / np.sqrt(7 * 50)
    assert scale_at_birth(weight) == pytest.approx(rms * np.sqrt(50))
    assert scale_at_birth(weight) == pytest.approx(1.41)


def test_a_bias_has_no_such_scale() -> None:
    assert np.isnan(scale_at_birth(Patient().vitals.parameters[1]))


def test_the_relative_gradient_is_that_of_each_row_in_units_of_the_weight() -> None:
    weight = Patient((Layer("a", weight_gradient=lambda t: 3.0 * t, scale=2.0, units=16),), steps=50).vitals.parameters[
        0
    ]
    assert relative_gradient(weight) == pytest.approx(3.0 * weight.history.step / (2.0 * np.sqrt(16)))


def test_of_a_weight_of_zeros_the_gradient_is_infinite_and_no_warning() -> None:
    weight = Patient((Layer("a", weight_gradient=1.0, scale=0.0),)).vitals.parameters[0]
    assert np.isinf(relative_gradient(weight)).all()


@pytest.mark.parametrize(("optimiser", "adaptive"), [(0, True), (1, False), (None, False)])
def test_an_update_by_hand_or_by_an_optimiser_that_is_not_known_is_not_adaptive(
    optimiser: int | None, adaptive: bool
) -> None:
    adam = OptimiserVitals("Adam", np.array([1]), np.array([1e-3]), 0.0, 0.0, adaptive=True)
    assert is_adaptive(Vitals(optimisers=(adam,)), optimiser) == adaptive
