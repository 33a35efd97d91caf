"""Gradient, weight and update norms, against float64 copies taken around the update."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.probe.backlog import Backlog
from limen.probe.parameter_record import ENTRIES, ParameterRecord, Sweep
from limen.probe.rows import LONGEST
from limen.sites import Parameter
from limen.vitals import ParameterHistory

NORM = 2e-5  # float32 norm of up to 210,000 squares in the lanes of a vector: some 1e4 roundings of 2**-24 each


def record_of(tensor: Tensor, optimiser: int | None = 0) -> ParameterRecord:
    return ParameterRecord(Parameter("fc.weight", "fc", tuple(tensor.shape), 0, tensor.ndim >= 2), tensor, optimiser)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return values.to(dtype).requires_grad_()


def history(record: ParameterRecord) -> ParameterHistory:
    return record.vitals().history


def update(records: list[ParameterRecord], step: int, change: Callable[[Tensor], Tensor]) -> None:
    """One sweep around an update."""
    sweep = Sweep(records, step, Backlog())
    with torch.no_grad():
        for record in records:
            record.tensor.add_(change(record.tensor))
    sweep.after()


def double(tensor: Tensor) -> Tensor:
    return tensor.detach().to(torch.float64, copy=True)


LAYOUTS: dict[str, Callable[[torch.dtype], Tensor]] = {
    "matrix": lambda dtype: drawn(31, 17, dtype=dtype),
    "bias": lambda dtype: drawn(9, dtype=dtype),
    "kernel": lambda dtype: drawn(4, 3, 5, 5, dtype=dtype),
    "channels-last kernel": lambda dtype: (
        drawn(4, 3, 5, 5, dtype=dtype).detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    ),
    "transposed": lambda dtype: drawn(31, 17, dtype=dtype).detach().t().requires_grad_(),
    "scalar": lambda dtype: drawn(1, dtype=dtype).detach()[0].requires_grad_(),
    "exactly as many entries as are read": lambda dtype: drawn(64, 64, dtype=dtype),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_norms_of_a_small_tensor_are_exact(layout: str, dtype: torch.dtype) -> None:
    tensor = LAYOUTS[layout](dtype)
    tensor.grad = drawn(*tensor.shape, seed=1, dtype=dtype).detach()
    record, before = record_of(tensor), double(tensor)
    update([record], 3, lambda weight: -0.05 * torch.cos(5 * weight))
    moved = double(tensor) - before
    rows = history(record)
    assert rows.step.tolist() == [3]
    assert rows.gradient[0] == pytest.approx(float(double(tensor.grad).norm()), rel=NORM)
    assert rows.weight[0] == pytest.approx(float(before.norm()), rel=NORM)
    assert rows.update[0] == pytest.approx(float(moved.norm() / before.norm()), rel=2 * NORM)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_a_small_change_of_a_half_precision_weight_is_measured_without_rounding(dtype: torch.dtype) -> None:
    """Old and new weight differ by one unit in the last place of a few entries."""
    tensor = torch.full((20, 20), 1.0, dtype=dtype).requires_grad_()
    record = record_of(tensor)
    step = torch.finfo(dtype).eps
    update([record], 1, lambda weight: torch.eye(20).to(dtype) * step)
    assert history(record).update[0] == pytest.approx(step * math.sqrt(20) / 20, rel=NORM)


@pytest.mark.parametrize("shape", [(700, 300), (129, 128), (ENTRIES * 3 + 1,)])
def test_the_update_ratio_of_a_large_tensor_is_within_the_error_of_a_sample(shape: tuple[int, ...]) -> None:
    tensor = drawn(*shape)
    record, before = record_of(tensor), double(tensor)
    noise = drawn(*shape, seed=2).detach()
    update([record], 1, lambda weight: 1e-3 * noise)
    exact = float((double(tensor) - before).norm() / before.norm())
    # Two norms of n normal entries each, n >= ENTRIES / 2: each is off by 1/sqrt(2n) = 1.6 %; four times both together
    assert history(record).update[0] == pytest.approx(exact, rel=4 * math.sqrt(2) / math.sqrt(2 * ENTRIES / 2))
    assert history(record).weight[0] == pytest.approx(float(before.norm()), rel=NORM)


@pytest.mark.parametrize("columns", [2, 64, 512, 1000, 4096])
def test_a_sample_does_not_beat_with_the_columns_of_a_large_matrix(columns: int) -> None:
    """Only one column of the matrix learns: an even sample must not miss it, nor see nothing else."""
    tensor = torch.ones(16 * ENTRIES // columns, columns).requires_grad_()
    record = record_of(tensor)
    change = torch.zeros_like(tensor)
    change[:, columns // 2] = 0.01
    update([record], 1, lambda weight: change)
    exact = 0.01 / math.sqrt(columns)
    expected = ENTRIES / columns  # entries of that column that a fair sample holds
    slack = 4 / math.sqrt(expected) if expected >= 16 else 4.0  # four deviations of a count of so many
    assert exact / (1 + slack) <= history(record).update[0] <= exact * (1 + slack)


def test_an_update_of_nothing_has_ratio_zero_and_one_of_a_zero_weight_has_none() -> None:
    still, zero = record_of(drawn(5, 5)), record_of(torch.zeros(5, 5).requires_grad_())
    update([still, zero], 1, lambda weight: torch.zeros_like(weight) + (0.1 if not weight.any() else 0.0))
    assert history(still).update.tolist() == [0.0]
    assert history(zero).weight.tolist() == [0.0]
    assert np.isnan(history(zero).update).tolist() == [True]


# Gradients ---------------------------------------------------------------------------------------------------------


def test_a_parameter_without_a_gradient_has_none_in_its_row() -> None:
    with_gradient, without = record_of(drawn(3, 3)), record_of(drawn(4))
    with_gradient.tensor.grad = torch.full((3, 3), 2.0)
    update([without, with_gradient], 1, torch.zeros_like)
    assert history(with_gradient).gradient.tolist() == [6.0]
    assert np.isnan(history(without).gradient).tolist() == [True]
    assert without.first_nonfinite is None


def test_a_sparse_gradient_is_left_out_and_its_update_measured() -> None:
    table = nn.Embedding(10, 4, sparse=True)
    record = record_of(table.weight)
    table(torch.tensor([1, 2])).sum().backward()
    optimiser = torch.optim.SGD(table.parameters(), lr=0.1)
    before = double(table.weight)
    sweep = Sweep([record], 1, Backlog())
    optimiser.step()
    sweep.after()
    assert np.isnan(history(record).gradient).tolist() == [True]
    ratio = float((double(table.weight) - before).norm() / before.norm())
    assert history(record).update[0] == pytest.approx(ratio, rel=2 * NORM)


def test_a_frozen_parameter_has_weight_and_no_gradient() -> None:
    frozen = record_of(torch.ones(4, 4))
    update([frozen], 1, torch.zeros_like)
    assert (history(frozen).weight.tolist(), history(frozen).update.tolist()) == ([4.0], [0.0])
    assert np.isnan(history(frozen).gradient).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_reads_as_infinite_and_is_noted(value: float) -> None:
    record = record_of(drawn(3, 3))
    for step in (1, 2, 3):
        record.tensor.grad = torch.ones(3, 3)
        record.tensor.grad[1, 1] = value if step > 1 else 1.0
        update([record], step, torch.zeros_like)
    assert history(record).gradient.tolist() == [3.0, math.inf, math.inf]
    assert record.vitals().first_nonfinite == 2


def test_a_weight_that_is_not_finite_is_noted_at_the_first_step_that_meets_it() -> None:
    record = record_of(drawn(3, 3))
    update([record], 4, lambda weight: torch.full_like(weight, math.nan))
    assert record.first_nonfinite is None
    update([record], 5, torch.zeros_like)
    assert record.first_nonfinite == 5


def test_finite_gradients_too_large_to_square_in_float32_are_not_called_infinite() -> None:
    record = record_of(drawn(3, 3))
    record.tensor.grad = torch.full((3, 3), 1e30)
    update([record], 1, torch.zeros_like)
    assert history(record).gradient[0] == pytest.approx(3e30, rel=NORM)
    assert record.first_nonfinite is None


def test_a_half_precision_gradient_is_not_called_infinite_for_its_norm() -> None:
    record = record_of(drawn(200, 200, dtype=torch.float16))
    record.tensor.grad = torch.full((200, 200), 6e4, dtype=torch.float16)
    update([record], 1, torch.zeros_like)
    assert history(record).gradient[0] == pytest.approx(200 * float(torch.tensor(6e4).half()), rel=1e-4)


def test_parameters_of_several_types_are_measured_together() -> None:
    records = [record_of(drawn(6, 6, dtype=dtype)) for dtype in (torch.float32, torch.bfloat16, torch.float64)]
    for record in records:
        record.tensor.grad = torch.ones_like(record.tensor)
    update(records, 1, lambda weight: 0.5 * weight.detach())
    for record in records:
        assert history(record).gradient.tolist() == [6.0]
        assert history(record).update[0] == pytest.approx(
            0.5, rel=1e-2 if record.tensor.dtype is torch.bfloat16 else NORM
        )


def test_a_complex_parameter_is_measured_by_its_magnitude() -> None:
    record = record_of(torch.full((2, 2), 3 + 4j).requires_grad_())
    record.tensor.grad = torch.full((2, 2), 1j)
    update([record], 1, lambda weight: 0.1 * weight.detach())
    assert history(record).weight[0] == pytest.approx(10.0, rel=NORM)
    assert history(record).gradient[0] == pytest.approx(2.0, rel=NORM)
    assert history(record).update[0] == pytest.approx(0.1, rel=NORM)


def test_the_norm_of_a_weight_is_never_off_by_more_than_half_a_per_cent() -> None:
    tensor = drawn(300, 200)
    record = record_of(tensor)
    generator = torch.Generator().manual_seed(3)
    for step in range(1, 200):
        exact = float(double(tensor).norm())
        scale = 1e-4 if step % 3 else 1e-3
        update([record], step, lambda weight, scale=scale: scale * torch.randn(weight.shape, generator=generator))
        assert history(record).weight[-1] == pytest.approx(exact, rel=5e-3)


def test_a_weight_that_is_edited_between_two_updates_is_read_again() -> None:
    tensor = drawn(300, 200)
    record = record_of(tensor)
    for step in range(1, 6):
        update([record], step, lambda weight: 1e-6 * torch.ones_like(weight))
    with torch.no_grad():
        tensor.mul_(100)
    exact = float(double(tensor).norm())
    update([record], 6, torch.zeros_like)
    assert history(record).weight[-1] == pytest.approx(exact, rel=5e-3)


# What stays as it was ----------------------------------------------------------------------------------------------


def test_a_sweep_changes_neither_weights_nor_gradients_nor_random_numbers() -> None:
    tensor = drawn(200, 200)
    tensor.grad = drawn(200, 200, seed=1).detach()
    weight, gradient, version = tensor.detach().clone(), tensor.grad.clone(), tensor._version
    state = torch.get_rng_state()
    sweep = Sweep([record_of(tensor)], 1, Backlog())
    sweep.after()
    assert torch.equal(tensor.detach(), weight)
    assert torch.equal(tensor.grad, gradient)
    assert tensor._version == version
    assert torch.equal(torch.get_rng_state(), state)


def test_a_sweep_holds_no_second_copy_of_a_large_tensor() -> None:
    sweep = Sweep([record_of(drawn(1000, 1000))], 1, Backlog())
    assert sum(held.untyped_storage().nbytes() for held in sweep._samples) <= 4 * ENTRIES


def test_a_long_run_keeps_bounded_rows_each_with_its_own_update() -> None:
    record = record_of(torch.ones(1).requires_grad_())
    for step in range(1, LONGEST + 500):
        weight = float(record.tensor.detach())
        update([record], step, lambda weight, step=step: torch.full_like(weight, step * 1e-4))
        newest = history(record)
        if newest.step[-1] == step:
            assert newest.update[-1] == pytest.approx(step * 1e-4 / weight, rel=1e-3)  # float32 of a growing number
    assert len(history(record).step) <= LONGEST
    assert not np.isnan(history(record).update).any()


@pytest.mark.parametrize(("shape", "expected"), [((), 0.0), ((1,), 0.0)])
def test_a_single_number_has_no_initial_spread(shape: tuple[int, ...], expected: float) -> None:
    assert record_of(torch.ones(shape)).initial_std == expected


def test_the_initial_spread_is_that_of_the_first_meeting() -> None:
    tensor = drawn(50, 50)
    record, before = record_of(tensor), float(double(tensor).std())
    update([record], 1, torch.ones_like)
    assert record.initial_std == pytest.approx(before, rel=NORM)
