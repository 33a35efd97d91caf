"""Every module of the catalogue: what it computes, and that it is a module as torch's are."""

import math

import pytest
import torch

from limen import nn as twins
from limen.activations import Activation, Entry, get, of_module
from tests.nn.family import GRID, SMALL, applied, by_torch, copies, every, module_of, slope_by, ulps


@every
def test_value_and_slope_are_those_of_the_entry_in_double_precision(entry: Activation) -> None:
    x = GRID.float()
    value, slope = entry.f(x.double()), entry.df(x.double())
    for exact, places, near_root in ((True, 1.0, 0.0), (False, 4.0, 2.0)):
        if by_torch(entry, x, exact=exact):
            continue
        module = module_of(entry, exact=exact)
        assert ulps(module(x), value) <= places, exact
        # the slopes of those that fall and rise are sums of terms of about 1, which cancel near its roots
        assert ulps(slope_by(module, x), slope, near_root) <= places, exact


@every
def test_what_is_not_a_number_stays_so_and_infinities_have_their_limits(entry: Activation) -> None:
    x = torch.tensor([math.nan, -math.inf, math.inf])
    for exact in (True, False):
        if by_torch(entry, x, exact=exact):
            continue
        module = module_of(entry, exact=exact)
        if entry.name != "prelu":  # torch's own
            torch.testing.assert_close(module(x), entry.f(x), equal_nan=True, rtol=1e-6, atol=1e-30)
        if entry.name not in ("identity", "prelu"):  # torch's own, whose slope is a number there
            torch.testing.assert_close(slope_by(module, x), entry.df(x), equal_nan=True, rtol=1e-6, atol=1e-30)


@every
def test_other_types_are_kept_and_computed_as_the_entry_does(entry: Activation) -> None:
    for dtype, places in ((torch.bfloat16, 1.0), (torch.float16, 1.0), (torch.float64, 2.0)):
        x = GRID.to(dtype)
        module = module_of(entry, exact=True).to(dtype)
        assert module(x).dtype == dtype
        assert ulps(module(x), entry.f(x.double())) <= places, dtype
        assert ulps(slope_by(module, x), entry.df(x.double())) <= places, dtype


@applied
def test_a_gradient_is_multiplied_by_the_slope(entry: Activation) -> None:
    x = SMALL.double().requires_grad_()
    (found,) = torch.autograd.grad(module_of(entry, exact=True)(x), x, torch.full_like(x, 3.0))
    torch.testing.assert_close(found, 3 * entry.df(x.detach()), rtol=1e-14, atol=0)


@applied
def test_no_infinite_gradient_passes_a_straight_piece_of_slope_0(entry: Activation) -> None:
    assert isinstance(entry, Entry)
    if entry.sheet.saved != "mask":
        return
    for x in (SMALL.double(), SMALL):
        slope = entry.df(x)
        x = x.clone().requires_grad_()
        (found,) = torch.autograd.grad(module_of(entry)(x), x, torch.full_like(x, math.inf))
        assert torch.equal(found[slope == 0], slope[slope == 0])


@applied
def test_the_second_derivative_is_the_curvature_of_the_entry(entry: Activation) -> None:
    x = SMALL.double().requires_grad_()
    grad = torch.linspace(0.5, 2.0, x.numel(), dtype=torch.float64).reshape(x.shape).requires_grad_()
    (slope,) = torch.autograd.grad(module_of(entry, exact=True)(x), x, grad, create_graph=True)
    across, along = torch.autograd.grad(slope.sum(), (x, grad))
    torch.testing.assert_close(across, grad.detach() * entry.d2f(x.detach()), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(along, entry.df(x.detach()), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ["gelu", "tanh", "elu", "relu", "snake"])
def test_derivatives_agree_with_differences_up_to_the_third(name: str) -> None:
    x = SMALL.double().requires_grad_()
    module = module_of(get(name))
    assert torch.autograd.gradcheck(module, (x,))
    assert torch.autograd.gradgradcheck(module, (x,))
    if name in ("gelu", "tanh"):
        assert torch.autograd.gradgradcheck(lambda z: slope_of(module, z), (x,))


def slope_of(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    return slope


# --- as modules ------------------------------------------------------------------------------------------------


@every
def test_entry_to_module_and_back(entry: Activation) -> None:
    found = of_module(module_of(entry))
    assert found == entry
    assert type(found) is type(entry)


@every
def test_modules_survive_pickling_and_copying(entry: Activation) -> None:
    module = module_of(entry, exact=True)
    for twin in copies(module):
        assert type(twin) is type(module)
        assert repr(twin) == repr(module)
        assert torch.equal(twin(SMALL), module(SMALL))
        assert torch.equal(slope_by(twin, SMALL), slope_by(module, SMALL))


@every
def test_only_the_learned_slope_is_state(entry: Activation) -> None:
    assert list(module_of(entry).state_dict()) == (["weight"] if entry.name == "prelu" else [])


def test_each_parameter_is_that_of_this_moment() -> None:
    module = twins.ELU(0.5)
    module.alpha = 2.0
    assert float(module(torch.tensor(-50.0))) == -2.0
    assert of_module(module) == get("elu", alpha=2.0)


def test_another_slope_at_kinks_is_kept() -> None:
    for slope in ("left", "right", "mean", 0.25):
        entry = get("relu", slope_at_kink=slope)
        module = module_of(entry)
        assert of_module(module) == entry
        assert torch.equal(slope_by(module, torch.zeros(2)), entry.df(torch.zeros(2)))
        assert torch.equal(slope_by(module, SMALL), entry.df(SMALL))
    assert slope_by(module_of(get("relu", slope_at_kink="mean")), torch.tensor([-1.0])).item() == 0
