"""What is found out about functions, against the sheets of the catalogue and what their formulas say."""

import functools
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.activations import Activation, AtKinks, Description, InDoubles, Sheet, describe, get, tails
from limen.errors import InvalidValue
from tests.activations.cases import over
from tests.activations.test_catalogue import MORE, sheet


@functools.cache
def described(act: Activation) -> Description:
    """Plain doubles lose digits, as those of users do, and are several times quicker."""
    return describe(InDoubles(act.f))


EXACT = ("monotone", "saved", "parity", "convex", "concave", "homogeneous")
NEAR = ("range", "limits", "lipschitz", "kinks", "jumps", "bends", "roots", "period")


def test_every_property_of_a_sheet_is_held_against_what_is_found() -> None:
    assert {*EXACT, *NEAR, "year"} == set(Sheet.__dataclass_fields__)


@over("act", MORE)
def test_the_sheets_of_the_catalogue_are_found_again(act: Any) -> None:
    description, known = described(act), sheet(act)
    found = description.sheet
    kinks = np.array(known.kinks)
    chosen = np.array_equal(description.df(kinks), act.df(torch.from_numpy(kinks)).numpy())
    for name in EXACT:  # how many slopes there are depends on which one is chosen at a kink
        assert (name == "saved" and not chosen) or getattr(found, name) == getattr(known, name), name
    for name in NEAR:
        one, other = (np.atleast_1d(np.array(getattr(each, name), dtype=object)) for each in (found, known))
        assert one.shape == other.shape, (name, one, other)
        for a, b in zip(one, other, strict=True):
            # 1e-6 is what is promised of places; ranges and slopes are approached, not reached, far out
            assert a == b or a == pytest.approx(b, abs=1e-6, rel=1e-6), (name, one, other)


@over("act", MORE)
def test_flat_sides_are_those_that_the_probe_looks_at(act: Any) -> None:
    found, known = described(act), tails(act)
    left = [end for start, end in found.flat if start == -math.inf]
    right = [start for start, end in found.flat if end == math.inf]
    assert left == ([] if known.left is None else [pytest.approx(known.left, abs=1e-6)])
    assert right == ([] if known.right is None else [pytest.approx(known.right, abs=1e-6)])
    assert found.slope_by == "autograd"
    assert (found.not_finite, found.wrong_slopes) == ((), ())


@pytest.mark.parametrize(
    ("name", "function"),
    [("gelu", nn.GELU()), ("prelu", nn.PReLU()), ("silu", F.silu), ("relu", torch.relu_), ("tanh", torch.tanh)],
)
def test_modules_and_functions_of_torch_have_the_sheets_of_their_entries(name: str, function: Any) -> None:
    found, known = describe(function).sheet, sheet(get(name))
    assert (found.kinks, found.saved, found.monotone, found.convex) == (
        known.kinks, known.saved, known.monotone, known.convex,
    )  # fmt: skip
    assert found.lipschitz == pytest.approx(known.lipschitz, rel=1e-6)


@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "hard_mish", "snake"])
def test_an_entry_is_described_as_its_values_are(name: str) -> None:
    found, values = describe(get(name)), described(get(name))
    assert found.name == repr(get(name))
    for part in fields(Sheet):
        one, other = getattr(found.sheet, part.name), getattr(values.sheet, part.name)
        assert one == other or one == pytest.approx(other, rel=1e-12), part.name
    for one, other in zip(found.flat, values.flat, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_kinks_lie_where_the_formula_has_them() -> None:
    places = (-math.e, 1 / 3, math.pi, 100.0)
    found = describe(lambda x: sum(((k + 1) * (x - place).relu() for k, place in enumerate(places)), x))
    assert found.sheet.kinks == pytest.approx(places, abs=1e-6)
    assert found.sheet.jumps == ()
    assert found.sheet.lipschitz == pytest.approx(11.0)


def test_roots_of_the_slope_are_those_of_higher_precision() -> None:
    found = describe(lambda x: torch.sin(x) * torch.exp(-x * x / 8)).sheet.roots
    exact = [float(mp.findroot(lambda x: mp.diff(lambda z: mp.sin(z) * mp.exp(-z * z / 8), x), guess))
             for guess in (-3.8, -1.2, 1.2, 3.8)]  # fmt: skip
    assert [root for root in found if abs(root) < 5] == pytest.approx(exact, abs=1e-9)


def test_a_touch_of_zero_is_a_root_and_a_flat_stretch_is_not() -> None:
    assert describe(lambda x: (x - 2).pow(3)).sheet.roots == pytest.approx((2.0,), abs=1e-6)
    assert describe(lambda x: (x.abs() - 1).relu()).sheet.roots == ()


class StraightThrough(torch.autograd.Function):
    """A step whose gradient is that of the identity, as in networks with binary weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x > 0.5).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class HalfWrong(torch.autograd.Function):
    """Right left of 1, twice the slope right of it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * torch.where(x < 1, 2 * x, 4 * x)


def test_a_gradient_that_is_not_the_slope_is_told_and_not_used() -> None:
    found = describe(StraightThrough.apply)
    assert found.slope_by == "differences"
    assert found.sheet.jumps == pytest.approx((0.5,), abs=1e-6)
    assert (found.sheet.lipschitz, found.sheet.range) == (math.inf, (0.0, 1.0))
    ((low, high),) = found.wrong_slopes
    assert low < -60
    assert high > 60


def test_where_a_gradient_is_wrong_is_found() -> None:
    ((low, high),) = describe(HalfWrong.apply).wrong_slopes
    assert low == pytest.approx(1.0, abs=1 / 64)
    assert high > 63


def test_a_function_that_autograd_cannot_see_through_is_described_by_differences() -> None:
    found = describe(lambda x: torch.from_numpy(np.arctan(x.detach().numpy())))
    assert found.slope_by == "differences"
    assert found.sheet.lipschitz == pytest.approx(1.0, rel=1e-6)
    assert found.sheet.range == pytest.approx((-math.pi / 2, math.pi / 2))
    assert found.sheet.kinks == ()


def test_overflow_and_missing_values_are_found() -> None:
    naive = describe(lambda x: x * torch.tanh(torch.log(1 + torch.exp(x))))
    assert naive.not_finite == ((pytest.approx(math.log(1.7976931348623157e308)), math.inf),)
    assert describe(lambda x: (x * x).sqrt()).not_finite == ((0.0, 0.0),)  # autograd gives 0 · inf
    assert describe(torch.log).not_finite == ((-math.inf, pytest.approx(0.0, abs=1e-9)),)
    assert describe(torch.exp).sheet.lipschitz == math.inf


def test_a_staircase_and_a_wave_do_not_end() -> None:
    stairs = describe(torch.floor).sheet
    assert stairs.jumps == tuple(map(float, range(-63, 65)))
    wave = describe(lambda x: torch.sin(5 * x)).sheet
    assert wave.period == pytest.approx(2 * math.pi / 5)
    assert wave.roots == pytest.approx((-math.pi / 10, math.pi / 10))
    assert wave.limits == (None, None)


def test_stretches_between_far_places_are_not_called_flat() -> None:
    found = describe(lambda x: torch.where(x > 0, x, 0.1 * torch.sin(x)))
    assert len(found.flat) == 20  # around the turns of the sine from 0 down to -64
    for low, high in found.flat:
        assert np.all(np.abs(0.1 * np.cos(np.linspace(low, high, 1001))) <= 0.01 * (1 + 1e-6))


def test_a_constant_has_nothing() -> None:
    found = describe(torch.ones_like)
    assert (found.sheet.lipschitz, found.sheet.saved, found.sheet.range) == (0.0, "nothing", (1.0, 1.0))


def test_describing_draws_no_random_number_and_changes_no_module() -> None:
    module = nn.PReLU()
    state = torch.get_rng_state()
    describe(module)
    assert torch.equal(torch.get_rng_state(), state)
    assert module.weight.dtype == torch.float32
    assert module.weight.grad is None


def test_another_slope_at_the_kinks_changes_nothing_else() -> None:
    other = get("relu", slope_at_kink="mean")
    assert isinstance(other, AtKinks)
    assert describe(other).sheet == describe(get("relu")).sheet


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: torch.softmax(x, -1), r"at x = -7\.997 it gives .* among other numbers and 1 alone\. Expected a"),
        (lambda x: x.sort().values, "in another order"),
        (nn.Softmax(0), "alone"),
        (F.glu, r"describe\(glu\): it made a tensor of shape \[128\] of one of shape \[256\]"),
        (nn.Linear(4, 4), r"describe\(Linear\): it raised RuntimeError for doubles of shape \[256\]"),
        (nn.PReLU(7), r"describe\(PReLU\): it raised RuntimeError"),
        (nn.Dropout(), r"describe\(Dropout\): two calls with the same numbers give different ones\. .* \.eval\(\)"),
        (lambda x: x.float(), r"it made torch\.float32 of doubles"),
        (lambda _: 1.0, "it made a float of one of shape"),
        ("relu", r"describe\('relu'\): a str cannot be called\. Expected a function"),
    ],
    ids=["softmax", "sort", "Softmax", "glu", "Linear", "PReLU", "Dropout", "float", "number", "name"],
)
def test_what_is_no_function_of_each_number_is_refused(function: Callable[[Tensor], Tensor], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        describe(function)


@pytest.mark.parametrize("nowhere", [math.nan, math.inf], ids=["nan", "inf"])
def test_what_is_finite_nowhere_is_refused(nowhere: float) -> None:
    with pytest.raises(InvalidValue, match="finite nowhere"):
        describe(lambda x: x * 0 + nowhere)
