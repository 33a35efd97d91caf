"""The width of a gated block, and the block."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from limen.errors import InvalidValue, UnknownName
from limen.nn import GatedFeedForward, gated_width


@pytest.mark.parametrize(("features", "width"), [(4096, 11008), (5120, 13824), (6656, 17920), (8192, 22016)])
def test_the_widths_are_those_of_llama(features: int, width: int) -> None:
    assert gated_width(4 * features, multiple=256) == width


@given(width=st.integers(1, 10**6), multiple=st.integers(1, 512))
def test_three_matrices_of_this_width_have_the_weights_of_two_of_the_other(width: int, multiple: int) -> None:
    gated = gated_width(width, multiple=multiple)
    assert gated % multiple == 0
    assert gated > 0
    assert 2 * width - 2 <= 3 * gated or gated == multiple
    assert 3 * (gated - multiple) < 2 * width


def weights(block: nn.Module) -> int:
    return sum(parameter.numel() for parameter in block.parameters())


@pytest.mark.parametrize("unit", ["glu", "bilinear", "reglu", "geglu", "swiglu"])
def test_a_gated_block_has_as_many_weights_as_one_of_four_times_the_width(unit: str) -> None:
    block = GatedFeedForward(48, unit=unit)
    assert weights(block) == 2 * 48 * 4 * 48
    x = torch.randn(2, 5, 48, requires_grad=True)
    y = block(x)
    assert y.shape == x.shape
    y.sum().backward()
    assert all(bool(parameter.grad.abs().sum() > 0) for parameter in block.parameters())


def test_a_block_is_two_matrices_and_a_unit_between_them() -> None:
    block, x = GatedFeedForward(4, 6, bias=True), torch.randn(3, 4)
    a, b = block.project_in(x).chunk(2, -1)
    torch.testing.assert_close(block(x), block.project_out(a * nn.functional.silu(b)))
    assert block.project_in.bias is not None


def test_sizes_that_are_none_are_refused() -> None:
    for width in (0, -3, 2.5, True):
        with pytest.raises(InvalidValue, match=rf"gated_width\(width={width!r}\): expected a whole number >= 1"):
            gated_width(width)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"gated_width\(multiple=0\)"):
        gated_width(8, multiple=0)
    with pytest.raises(InvalidValue, match=r"GatedFeedForward\(hidden=0\): expected a whole number >= 1"):
        GatedFeedForward(4, 0)


def test_an_unknown_unit_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No gated unit is named 'swigul'\. Did you mean 'swiglu'\?"):
        GatedFeedForward(4, unit="swigul")
