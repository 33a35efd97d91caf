"""On a CUDA device, where no kernel of ours serves: torch's own operators, or the catalogue's formulas."""

from typing import Any

import pytest
import torch

from limen.activations import Activation
from limen.nn.entries import call_of
from limen.nn.native import OPERATORS
from tests.nn.family import EXACT, GRID, applied, by_torch, module_of, slope_by, ulps

if not torch.cuda.is_available():  # one line instead of one for each of several hundred tests
    pytest.skip("needs a CUDA device and a CUDA build of torch", allow_module_level=True)

pytestmark = pytest.mark.cuda

DEVICE = "cuda"
types = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)


@applied
@types
@EXACT
def test_value_and_slope_are_those_of_the_entry_or_of_torch(entry: Activation, dtype: torch.dtype, exact: bool) -> None:
    x = GRID.to(dtype).to(DEVICE)
    module: Any = module_of(entry, exact=exact)
    y, slope = module(x), slope_by(module, x)
    assert y.device == slope.device == x.device
    assert y.dtype == slope.dtype == dtype
    if by_torch(entry, x, exact=exact):
        name, parameters = call_of(entry)
        operator: Any = lambda z: OPERATORS[name](z, *parameters)  # noqa: E731
        assert torch.equal(y, operator(x))
        assert torch.equal(slope, slope_by(operator, x))
    else:
        truth = GRID.to(dtype).double()
        assert ulps(y.cpu(), entry.f(truth)) <= 4
        # the slopes of those that fall and rise are sums of terms of about 1, which cancel near its roots
        assert ulps(slope.cpu(), entry.df(truth), 2.0) <= 4


@applied
def test_inputs_in_the_order_of_images_and_without_entries(entry: Activation) -> None:
    image = torch.randn(2, 4, 3, 3).to(DEVICE).to(memory_format=torch.channels_last)
    for x in (image, image[:, ::2], image[:0]):
        y = module_of(entry)(x)
        assert by_torch(entry, x) or y.stride() == torch.empty_like(x).stride()
        torch.testing.assert_close(y, module_of(entry)(x.contiguous()))
        assert slope_by(module_of(entry), x).shape == x.shape
