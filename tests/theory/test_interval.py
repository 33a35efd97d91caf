"""Bounds that no input escapes: against corners, random inputs, and the model's own arithmetic."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from limen.activations import Activation, get, tails
from limen.errors import InvalidValue
from limen.theory import Box, Scaled, activation_bounds, certainly_dead, linear_bounds, shape
from tests.activations.test_catalogue import EVERY

seeds = st.integers(0, 2**16)


def box_of(shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype = torch.float64) -> Box:
    ends = 3 * torch.randn(2, *shape, generator=generator, dtype=dtype)
    return Box(ends.amin(0), ends.amax(0))


def inputs(box: Box, count: int, generator: torch.Generator) -> Tensor:
    """Random inputs within the box, half of them at its corners, ``[count, ...]``."""
    share = torch.rand(count, *box.low.shape, generator=generator, dtype=box.low.dtype)
    share[::2] = share[::2].round()
    return (box.low + share * (box.high - box.low)).clamp(box.low, box.high)


def inside(box: Box, values: Tensor) -> bool:
    return bool(((box.low <= values.double()) & (values.double() <= box.high)).all())


# --- linear maps -----------------------------------------------------------------------------------------------


@given(seed=seeds, fan_in=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_some_corner_reaches_each_limit_of_one_layer(seed: int, fan_in: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    box = box_of((fan_in,), generator)
    weight, bias = torch.randn(5, fan_in, generator=generator).double(), torch.randn(5, generator=generator).double()
    corners = torch.stack([torch.stack(corner) for corner in itertools.product(*zip(box.low, box.high, strict=True))])
    reached = corners @ weight.T + bias
    found = linear_bounds(box, weight, bias)
    torch.testing.assert_close(found.high, reached.amax(0), rtol=1e-13, atol=1e-12)
    torch.testing.assert_close(found.low, reached.amin(0), rtol=1e-13, atol=1e-12)
    assert inside(found, reached)


CONVOLUTIONS: list[tuple[Callable[..., Tensor], tuple[int, ...], tuple[int, ...], int]] = [
    (functools.partial(F.conv2d, stride=2, padding=1), (1, 4, 7, 6), (6, 4, 3, 3), 6),
    (functools.partial(F.conv2d, dilation=2, groups=2), (2, 4, 7, 6), (6, 2, 3, 3), 6),
    (functools.partial(F.conv1d, padding="same"), (1, 3, 9), (5, 3, 3), 5),
    (functools.partial(F.conv_transpose2d, stride=2), (1, 4, 4, 4), (4, 3, 3, 3), 3),
]


@pytest.mark.parametrize(
    ("apply", "shape", "weights", "units"), CONVOLUTIONS, ids=["strided", "grouped", "same", "transposed"]
)
@given(seed=seeds)
@settings(max_examples=5, deadline=None)
def test_some_input_reaches_each_limit_of_a_convolution(
    apply: Callable[..., Tensor], shape: tuple[int, ...], weights: tuple[int, ...], units: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    box = box_of(shape, generator)
    weight, bias = torch.randn(*weights, generator=generator).double(), torch.randn(units, generator=generator).double()
    found = linear_bounds(box, weight, bias, apply=apply)
    # the gradient of one output says which corner makes it largest
    x = box.low.clone().requires_grad_()
    out = apply(x, weight, bias)
    at = int(torch.randint(out.numel(), (1,), generator=generator))
    (slope,) = torch.autograd.grad(out.flatten()[at], x)
    top = apply(torch.where(slope > 0, box.high, box.low), weight, bias)
    torch.testing.assert_close(found.high.flatten()[at], top.flatten()[at], rtol=1e-13, atol=1e-12)
    assert all(inside(found, apply(each, weight, bias)) for each in inputs(box, 20, generator))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_the_rounding_of_a_model_does_not_leave_the_limits(dtype: torch.dtype, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(300, 20).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        middle = torch.randn(300, generator=generator).to(dtype)
        exactly = Box(middle, middle)  # all that is left between the limits is rounding
        found = linear_bounds(exactly, layer.weight, layer.bias)
        assert inside(found, layer(middle))
        tight = (found.high - found.low).max() < (
            0.03 if dtype == torch.float32 else 10
        )  # of a sum of 300 products of size 1
        assert bool(tight)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_nor_does_that_of_autocast(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight, x = torch.randn(40, 300, generator=generator), torch.randn(300, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        out = F.linear(x, weight)
    assert out.dtype == torch.bfloat16
    assert inside(linear_bounds(Box(x, x), weight, precision=torch.bfloat16), out)
    assert not inside(linear_bounds(Box(x, x), weight), out)


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-5)


def test_a_side_without_limit_is_passed_on_only_where_a_weight_asks_for_it() -> None:
    box = Box(torch.zeros(2), torch.tensor([torch.inf, 1.0]))  # after a ReLU of anything
    weight = torch.tensor([[-1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [-1.0, -1.0]])
    found = linear_bounds(box, weight, torch.tensor([-2.0, 0.0, 0.0, 0.0]))
    assert found.high.tolist() == [near(-1), math.inf, near(1), near(0)]
    assert found.low.tolist() == [-math.inf, near(0), near(0), -math.inf]
    assert certainly_dead(found, "relu").tolist() == [True, False, False, False]


# --- activations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", EVERY, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_no_pre_activation_in_the_box_leaves_the_bounds_of_an_activation(
    act: Activation, dtype: torch.dtype, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    box = box_of((64,), generator, dtype)
    values = act.f(inputs(box, 400, generator))
    found = activation_bounds(box, act, precision=dtype)
    assert inside(found, values)
    # and they are tight: 400 draws come close to both
    width = (found.high - found.low).clamp(min=1e-3)
    assert bool(((values.amin(0).double() - found.low) / width < 0.1).all())
    assert bool(((found.high - values.amax(0).double()) / width < 0.1).all())


@pytest.mark.parametrize("name", ["silu", "gelu", "gelu_tanh", "quick_gelu", "mish", "hardswish"])
def test_the_dip_between_the_limits_is_found(name: str) -> None:
    act, x = get(name), torch.linspace(-4, 0, 400_001).double()
    found = activation_bounds(Box(torch.tensor([-4.0]), torch.tensor([0.5])), name)
    assert float(found.low) == pytest.approx(float(act.f(x).min()), abs=1e-6)
    assert float(found.high) == pytest.approx(float(act.f(torch.tensor(0.5))), abs=1e-5)


def test_inputs_without_limit_give_the_range_of_the_function() -> None:
    anything = Box(torch.tensor([-torch.inf]), torch.tensor([torch.inf]))
    for name, low, high in (("sigmoid", 0, 1), ("relu", 0, math.inf), ("silu", -0.27846, math.inf), ("tanh", -1, 1)):
        found = activation_bounds(anything, name)
        assert (float(found.low), float(found.high)) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def test_a_users_function_is_known_as_far_as_it_was_looked_at() -> None:
    found = activation_bounds(Box(torch.tensor([-1.0, 60.0]), torch.tensor([4.0, 70.0])), torch.sin)
    assert (float(found.low[0]), float(found.high[0])) == pytest.approx((math.sin(-1), 1), abs=1e-5)
    assert (float(found.low[1]), float(found.high[1])) == (-math.inf, math.inf)


def test_a_shaped_function_dips_farther_out() -> None:
    function = shape("gelu", depth=1000).function
    x = torch.linspace(-200, 0, 400_001).double()
    found = activation_bounds(Box(torch.tensor([-200.0]), torch.tensor([0.0])), function)
    assert isinstance(function, Scaled)
    assert float(found.low) == pytest.approx(float(function.f(x).min()), rel=1e-4)


def test_three_layers_hold_every_output_of_a_model() -> None:
    generator = torch.Generator().manual_seed(2)
    model = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.SiLU(), nn.Conv2d(6, 4, 3), nn.GELU(), nn.Conv2d(4, 2, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
        box = Box(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8))
        x = inputs(box, 200, generator)[:, 0]
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                apply = functools.partial(F.conv2d, padding=layer.padding)
                box = linear_bounds(box, layer.weight, layer.bias, apply=apply)
            else:
                box = activation_bounds(box, layer)  # type: ignore[arg-type]
            assert inside(box, x)


# --- proofs of death -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bias", "dead"),
    [("relu", -10.0, True), ("relu", -0.019, False), ("gelu", -10.0, True), ("leaky_relu", -10.0, False),
     ("sigmoid", -10.0, True), ("tanh", -10.0, False), ("hardswish", -3.1, True), ("silu", -1.0, False)],
)  # fmt: skip
def test_a_bias_far_below_what_the_weights_can_lift_is_proven_to_kill(name: str, bias: float, dead: bool) -> None:
    box = Box(torch.zeros(2), torch.ones(2))
    reached = linear_bounds(box, torch.tensor([[0.01, 0.01]]), torch.tensor([bias]))
    assert certainly_dead(reached, name).tolist() == [dead]


@given(seed=seeds, name=st.sampled_from(["relu", "gelu", "silu", "relu6", "hardswish"]))
@settings(max_examples=20, deadline=None)
def test_what_is_proven_dead_is_flat_for_every_input(seed: int, name: str) -> None:
    generator, edge = torch.Generator().manual_seed(seed), tails(get(name)).left
    box = Box(torch.zeros(6), torch.ones(6))
    weight, bias = torch.randn(200, 6, generator=generator), 3 * torch.randn(200, generator=generator) - 2
    dead = certainly_dead(linear_bounds(box, weight, bias), name)
    corners = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)))
    highest = (corners.double() @ weight.double().T + bias).amax(0)
    assert edge is not None
    assert torch.equal(dead, highest < edge)  # neither more nor less: no corner lies within rounding of the edge


def test_a_convolutions_unit_is_dead_only_if_it_is_at_every_position() -> None:
    box = Box(torch.full((1, 1, 4, 4), 1.0), torch.full((1, 1, 4, 4), 2.0))
    weight = torch.full((2, 1, 3, 3), -1.0)
    bias = torch.tensor([3.5, 4.5])  # a corner position sees four pixels, the middle nine
    reached = linear_bounds(box, weight, bias, apply=functools.partial(F.conv2d, padding=1))
    assert certainly_dead(reached, "relu", unit_axis=1).tolist() == [True, False]


def test_limits_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidValue, match="somewhere low is above high"):
        Box(torch.ones(2), torch.zeros(2))
    with pytest.raises(InvalidValue, match="or NaN"):
        Box(torch.tensor([math.nan]), torch.ones(1))
    with pytest.raises(InvalidValue, match=r"of shapes \[2\] and \[3\]\. Expected the same"):
        Box(torch.ones(2), torch.ones(3))
    with pytest.raises(InvalidValue, match="expected an entry of the catalogue"):
        certainly_dead(Box(torch.zeros(1), torch.ones(1)), torch.sin)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("w0", "low", "high"), [(1.0, 100.0, 105.0), (1.0, -0.5, 0.5), (400.0, 0.0, 0.02), (1.0, 63, 90)]
)
def test_a_wave_is_bounded_wherever_and_however_often_it_turns(w0: float, low: float, high: float) -> None:
    act = get("sin", w0=w0)
    found = activation_bounds(Box(torch.tensor([low]), torch.tensor([high])), act)
    assert inside(found, act.f(torch.linspace(low, high, 4001, dtype=torch.float64))[:, None])
    assert float(found.high - found.low) <= 2 * (1 + 1e-6)
