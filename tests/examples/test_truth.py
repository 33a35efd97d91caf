"""The sick examples are sick as they say and the healthy ones healthy, measured without limen."""

from pathlib import Path

import pytest

from tests.examples.truth import measure

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_high_learning_rate_kills_more_than_half_of_the_first_layer() -> None:
    truth = measure(EXAMPLES / "sick" / "learning_rate_too_high.py")
    fc1 = truth.seen[0]
    assert fc1.dead > fc1.units / 2
    assert fc1.never_active == 0  # so they died: they were not born dead
    assert truth.accuracy < 0.7


def test_the_same_network_is_healthy_at_a_lower_learning_rate(tmp_path: Path) -> None:
    source = (EXAMPLES / "sick" / "learning_rate_too_high.py").read_text()
    control = tmp_path / "control.py"
    control.write_text(source.replace("lr=1.2", "lr=0.4"))
    truth = measure(control)
    assert all(site.dead <= 0.05 * site.units for site in truth.seen)
    assert truth.accuracy > 0.93


def test_the_bias_of_minus_ten_leaves_every_unit_of_its_layer_dead_from_the_first_step() -> None:
    truth = measure(EXAMPLES / "sick" / "bias_minus_ten.py")
    fc1, fc2, fc3 = truth.seen
    assert fc3.never_active == fc3.units == 64
    assert fc1.dead + fc2.dead <= 0.05 * (fc1.units + fc2.units)
    assert truth.accuracy < 0.3


def test_the_gradient_of_the_deep_sigmoid_network_fades_by_nine_orders_of_magnitude() -> None:
    truth = measure(EXAMPLES / "sick" / "deep_sigmoid.py")
    assert len(truth.seen) == 12
    assert max(truth.seen[0].gradient) < 1e-9 * min(truth.seen[-1].gradient)
    assert all(site.mostly_flat == 0 for site in truth.seen)  # it vanishes without any unit being saturated
    assert truth.accuracy < 0.3


def test_unscaled_pixels_hold_every_unit_of_the_first_tanh_layer_at_its_limits() -> None:
    truth = measure(EXAMPLES / "sick" / "unscaled_inputs.py")
    first, second = truth.seen
    assert first.mostly_flat == first.units == 96
    assert second.mostly_flat == 0


def test_zero_weights_leave_every_unit_dead_from_the_first_step() -> None:
    truth = measure(EXAMPLES / "sick" / "zero_weights.py")
    assert [site.never_active for site in truth.seen] == [64, 64]
    assert truth.accuracy < 0.3


def test_equal_weights_learn_no_more_than_one_unit_can_tell() -> None:
    truth = measure(EXAMPLES / "sick" / "equal_weights.py")
    assert [site.dead for site in truth.seen] == [0, 0]
    assert all((site.flat == site.flat[0]).all() for site in truth.seen)
    assert truth.accuracy < 0.4


@pytest.mark.parametrize("name", ["very_sparse_relu", "confident_head", "frozen_backbone", "dropout_silu_small_data"])
def test_a_healthy_example_learns_well_and_has_no_dead_unit(name: str) -> None:
    truth = measure(EXAMPLES / "healthy" / f"{name}.py")
    assert truth.accuracy > 0.94
    assert [(site.dead, site.never_active) for site in truth.seen] == [(0, 0)] * len(truth.seen)


def test_the_sparse_network_is_zero_on_four_of_five_values() -> None:
    (site,) = measure(EXAMPLES / "healthy" / "very_sparse_relu.py").seen
    assert site.zero_share > 0.8


def test_the_confident_head_ends_flat_on_most_digits() -> None:
    head = measure(EXAMPLES / "healthy" / "confident_head.py").seen[-1]
    assert head.function == "Sigmoid"
    assert head.flat.item() / head.samples > 0.4
    assert head.gradient[-1] < 0.2 * head.gradient[0]
