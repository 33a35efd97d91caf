"""A few figures of a tensor, against numpy in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from limen.preflight.numbers import Numbers, numbers_of, size_of


def known(tensor: Tensor) -> Numbers:
    found = numbers_of(tensor)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.uint8]
)
def test_the_figures_are_those_of_numpy(dtype: torch.dtype) -> None:
    tensor = (torch.randn(7, 5, generator=torch.Generator().manual_seed(0)) * 9).abs().to(dtype)
    plain = tensor.double().numpy()
    found = known(tensor)
    assert found.count == 35
    assert (found.low, found.high) == (plain.min(), plain.max())
    assert found.mean == pytest.approx(plain.mean(), rel=1e-12)  # double precision, in another order
    assert found.std == pytest.approx(plain.std(), rel=1e-12)
    assert found.size == pytest.approx(math.sqrt(np.mean(plain**2)), rel=1e-12)
    assert found.whole is (not dtype.is_floating_point)
    assert found.finite == 1.0


def test_numbers_that_are_not_finite_are_counted_and_left_out() -> None:
    found = known(torch.tensor([1.0, math.nan, 3.0, math.inf]))
    assert (found.finite, found.mean, found.low, found.high, found.binary) == (0.5, 2.0, 1.0, 3.0, False)
    assert known(torch.tensor([math.nan])).finite == 0.0


@pytest.mark.parametrize(
    ("rows", "binary", "one_hot"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], True, True),
        ([[1.0, 1.0], [0.0, 1.0]], True, False),
        ([[0.0, 0.0], [0.0, 1.0]], True, False),
        ([[1.0], [0.0]], True, False),  # one column tells no class from another
        ([[0.9, 0.1], [0.0, 1.0]], False, False),
        ([[1.0, math.nan], [0.0, 1.0]], False, False),
    ],
    ids=["one-hot", "two", "none", "column", "shares", "nan"],
)
def test_one_hot_rows_have_exactly_one_1(rows: list[list[float]], binary: bool, one_hot: bool) -> None:
    found = known(torch.tensor(rows))
    assert (found.binary, found.one_hot) == (binary, one_hot)


@pytest.mark.parametrize(
    "tensor",
    [torch.empty(0), torch.zeros(2, dtype=torch.complex64), torch.zeros(2, device="meta"), torch.eye(2).to_sparse()],
    ids=["empty", "complex", "meta", "sparse"],
)
def test_what_has_no_real_numbers_has_no_figures(tensor: Tensor) -> None:
    assert numbers_of(tensor) is None


def test_half_precision_does_not_overflow_in_the_size() -> None:
    tensor = torch.full((64,), 30_000.0, dtype=torch.float16)  # squares are beyond 65,504
    assert size_of(tensor) == pytest.approx(30_000.0, rel=1e-6)  # single precision; 30,000 itself is exact in half
