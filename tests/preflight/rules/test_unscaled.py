"""Inputs and targets of a size that no initialisation is made for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from limen.findings import Finding
from limen.preflight import preflight


def said(name: str, *, inputs: torch.Tensor | None = None, target: torch.Tensor | None = None) -> list[Finding]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    given = torch.randn(32, 4) if inputs is None else inputs
    found = preflight(model, given, loss="mse", target=torch.randn(32, 1) if target is None else target)
    return [one for one in found.findings if one.name == name]


def of_size(size: float, *shape: int) -> torch.Tensor:
    """Numbers of both signs whose root mean square is ``size``."""
    return size * torch.tensor([-1.0, 1.0]).repeat(math.prod(shape) // 2).reshape(shape)


@pytest.mark.parametrize("size", [10.1, 0.00099], ids=["large", "small"])
def test_inputs_far_from_one_are_told_with_their_size(size: float) -> None:
    (one,) = said("unscaled-inputs", inputs=of_size(size, 32, 4))
    assert one.measured == pytest.approx(size, rel=1e-6)  # single precision
    assert one.unit == "root mean square of the input"


@pytest.mark.parametrize("size", [9.9, 1.0, 0.00101, 0.0], ids=["below", "one", "above", "zero"])
def test_inputs_within_the_limits_are_not(size: float) -> None:
    assert said("unscaled-inputs", inputs=of_size(size, 32, 4)) == []


def test_targets_of_a_regression_are_told_with_their_size() -> None:
    (one,) = said("unscaled-targets", target=of_size(101.0, 32, 1))
    assert (one.measured, one.limit) == (pytest.approx(101.0), 100.0)
    assert said("unscaled-targets", target=of_size(99.0, 32, 1)) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf], ids=["nan", "inf"])
def test_the_share_of_numbers_that_are_not_finite_is_told_in_its_unit(bad: float) -> None:
    inputs, target = torch.randn(32, 4), torch.randn(32, 1)
    inputs[:4, 0] = bad
    target[:8] = bad
    (one,) = said("unscaled-inputs", inputs=inputs)
    (two,) = said("unscaled-targets", target=target)
    assert (one.severity, one.measured, one.unit) == ("error", 4 / 128, "share of entries")
    assert (two.severity, two.measured, two.unit) == ("error", 8 / 32, "share of entries")
