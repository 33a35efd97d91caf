"""What a device reads in one go is what ``torch_pass`` reads, and nobody has to wait for it."""

import math

import numpy as np
import pytest
import torch

from limen.kernels import launch, launch_histogram, launch_norms, torch_norms, torch_pass

TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
SHAPES = [((40, 7), -1), ((5, 6, 7), 2), ((4, 7, 3, 3), 1), ((7,), 0), ((1, 7), 1)]


def drawn(shape: tuple[int, ...], kind: torch.dtype) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3 + 1).to(kind)


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize(("left", "right"), [(0.0, None), (-3.0, 3.0), (None, None)])
def test_the_sums_are_those_of_the_torch_pass(
    shape: tuple[int, ...], axis: int, kind: torch.dtype, left: float | None, right: float | None
) -> None:
    z = drawn(shape, kind)
    seen, expected = launch(z, axis, left, right).sums(), torch_pass.measure(z, axis, left, right)
    assert (seen.samples, seen.nonfinite) == (expected.samples, 0)
    np.testing.assert_array_equal(seen.left, expected.left)
    np.testing.assert_array_equal(seen.right, expected.right)
    np.testing.assert_array_equal(seen.low, expected.low)
    np.testing.assert_array_equal(seen.high, expected.high)
    count = expected.samples
    mean = expected.total / count + expected.shift
    np.testing.assert_allclose(seen.total / count, mean, rtol=1e-5, atol=1e-6)  # float32 sums of the torch pass
    spread = expected.squares / count - (expected.total / count) ** 2
    np.testing.assert_allclose(seen.squares / count - (seen.total / count) ** 2, spread, rtol=1e-4, atol=1e-5)


def test_numbers_that_are_not_finite_are_counted_and_flat_nowhere() -> None:
    z = drawn((6, 3), torch.float32)
    z[0, 0], z[1, 1], z[2, 1] = math.nan, math.inf, -math.inf
    seen = launch(z, -1, 0.0, None).sums()
    assert seen.nonfinite == 3
    np.testing.assert_array_equal(seen.left, (z <= 0).sum(0).numpy())
    assert np.isnan(seen.low).tolist() == [True, False, False]
    assert seen.high[1] == math.inf


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_the_histogram_is_that_of_the_torch_pass(kind: torch.dtype) -> None:
    z = drawn((500, 3), kind)
    z[0] = torch.tensor([math.nan, math.inf, -math.inf])
    np.testing.assert_array_equal(launch_histogram(z).numbers(), torch_pass.histogram(z))


def test_the_norms_are_those_of_torch() -> None:
    tensors = [drawn((30, 4), kind) for kind in TYPES]
    assert launch_norms(tensors).numbers().tolist() == pytest.approx(torch_norms.norms(tensors), rel=1e-5)


def test_what_the_host_holds_already_has_arrived() -> None:
    assert launch_norms([torch.ones(4)]).has_arrived
