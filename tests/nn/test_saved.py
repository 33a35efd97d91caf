"""What a backward pass keeps, and what may be overwritten for it."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limen import nn as twins
from limen.activations import Activation, Entry, Hardshrink, Hardtanh, LeakyReLU, ReLU, ReLU6, Threshold, get
from limen.errors import InvalidValue
from limen.nn.entries import call_of, keeps_output
from tests.nn.family import EXACT, GRID, SMALL, applied, module_of, needs_ours, slope_by


def kept_by(module: nn.Module, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """The tensors that the graph of a call keeps, and the output."""
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        return kept, module(x)


@applied
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_one_tensor_is_kept_and_it_is_the_input_or_the_output(entry: Activation, dtype: torch.dtype) -> None:
    x = SMALL.clone().to(dtype).requires_grad_()
    needs_ours(entry, x)
    kept, y = kept_by(module_of(entry), x)
    assert sum(tensor.nbytes for tensor in kept) == x.numel() * dtype.itemsize
    kept_output = kept[0].data_ptr() == y.data_ptr()
    assert kept_output == keeps_output(*call_of(entry))
    assert kept_output or kept[0].data_ptr() == x.data_ptr()


@applied
def test_no_more_is_kept_than_the_sheet_says_or_what_the_next_layer_keeps_anyway(entry: Activation) -> None:
    assert isinstance(entry, Entry)
    x = SMALL.clone().requires_grad_()
    needs_ours(entry, x)
    kept, y = kept_by(module_of(entry), x)
    own = sum(tensor.nbytes for tensor in kept if tensor.data_ptr() != y.data_ptr())
    if entry.sheet.saved == "input" or keeps_output(*call_of(entry)):
        assert own <= x.numel() * entry.sheet.saved_bytes(x.dtype)


@applied
def test_the_slope_at_the_output_is_that_at_the_input_where_it_is_taken_from_there(entry: Activation) -> None:
    for x in (GRID, GRID.float(), GRID.half(), GRID.bfloat16()):
        same = torch.equal(entry.df(entry.f(x)), entry.df(x))
        assert same or not keeps_output(*call_of(entry))


LIMITS = [
    Hardtanh(-1.0, 0.701), Hardtanh(-0.3, 0.7), Hardtanh(-1e-9, 1e-9), Threshold(0.702, 0.702), Threshold(-0.7, -0.701),
    LeakyReLU(1e-9), Hardshrink(0.701), ReLU6(), ReLU(),
]  # fmt: skip
"""Most of them with numbers that half precision does not have."""


@pytest.mark.parametrize("entry", LIMITS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@EXACT
def test_no_number_of_half_precision_has_another_slope_at_its_output(
    entry: Activation, dtype: torch.dtype, exact: bool
) -> None:
    x = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    assert keeps_output(*call_of(entry))
    needs_ours(entry, x, exact=exact)
    found = slope_by(module_of(entry, exact=exact), x)
    torch.testing.assert_close(found, entry.df(x), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    "module",
    [
        twins.ReLU(True),
        twins.ReLU6(True),
        twins.LeakyReLU(0.2, True),
        twins.Hardtanh(-1.0, 2.0, True),
        twins.Threshold(0.5, 0.1, True),
        twins.Activate("hardshrink", True, lambd=0.4),
    ],
    ids=repr,
)
class TestInPlace:
    def outside(self, module: nn.Module) -> nn.Module:
        twin: Any = module_of(module.entry)  # type: ignore[arg-type]
        return twin

    def test_the_input_becomes_the_output_and_nothing_else_is_kept(self, module: nn.Module) -> None:
        x = SMALL.clone()
        y = module(x)
        assert y.data_ptr() == x.data_ptr()
        assert torch.equal(x, self.outside(module)(SMALL))
        leaf = SMALL.clone().requires_grad_()
        kept, y = kept_by(module, leaf * 1)
        assert [tensor.data_ptr() for tensor in kept] == [y.data_ptr()]

    def test_gradients_of_any_order_are_those_of_the_other_way(self, module: nn.Module) -> None:
        for dtype in (torch.float32, torch.float64):
            x = GRID.to(dtype)
            assert torch.equal(slope_by(lambda z: module(z * 1), x), slope_by(self.outside(module), x))  # type: ignore[arg-type]
        assert torch.autograd.gradgradcheck(lambda z: module(z * 1), (SMALL.double().requires_grad_(),))

    def test_part_of_a_tensor(self, module: nn.Module) -> None:
        x = SMALL.clone().requires_grad_()
        y = x * 1
        module(y[:, 1:])
        y.sum().backward()
        wanted = torch.cat([torch.ones(2, 1), slope_by(self.outside(module), SMALL[:, 1:])], dim=1)
        assert torch.equal(x.grad, wanted)  # type: ignore[arg-type]

    def test_in_a_batch_of_calls_and_without_gradients(self, module: nn.Module) -> None:
        wanted = self.outside(module)(SMALL)
        assert torch.equal(torch.vmap(lambda z: module(z.clone()))(SMALL), wanted)
        with torch.no_grad():
            x = SMALL.clone()
            assert module(x) is x
        assert torch.equal(x, wanted)


@applied
def test_an_input_that_the_slope_needs_is_not_overwritten(entry: Activation) -> None:
    if keeps_output(*call_of(entry)):
        twins.Activate(entry, True)
        return
    with pytest.raises(InvalidValue, match=rf"{entry.name}.*\(inplace=True\): its backward pass needs the input"):
        twins.Activate(entry, True)


def test_nor_is_it_where_inplace_is_asked_for_later() -> None:
    module = twins.SiLU()
    module.inplace = True
    x = SMALL.clone()
    with pytest.raises(InvalidValue, match="inplace=True"):
        module(x)
    assert torch.equal(x, SMALL)


def test_a_leaf_that_learns_is_refused_by_torch_as_ever() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        twins.ReLU(True)(SMALL.clone().requires_grad_())


def test_what_is_overwritten_later_is_noticed() -> None:
    x = SMALL.clone().requires_grad_()
    y = twins.GELU()(z := x * 1)
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_relu_before_a_linear_layer_costs_no_memory_of_its_own() -> None:
    layers = nn.Sequential(nn.Linear(3, 4), twins.ReLU(), nn.Linear(4, 1))
    kept, _ = kept_by(layers, SMALL)
    hidden = {tensor.data_ptr() for tensor in kept if tensor.shape == (2, 4)}
    assert len(hidden) == 1
    assert get("relu") == layers[1].entry
