"""What the sheets of the catalogue say, against autograd's numbers, fifty digits and the functions themselves."""

import copy
import math
import pickle

import mpmath as mp
import numpy as np
import pytest
import torch

from benchmarks.formulas import EXACT
from limen.activations import Activation, Entry, InDoubles, Sheet, get, names
from tests.activations.cases import over
from tests.activations.test_catalogue import MORE, sheet

every = over("act", MORE)

GRID = torch.linspace(-64, 64, 16385, dtype=torch.float64)
WIDE = torch.cat([-torch.logspace(8, -8, 200), torch.zeros(1), torch.logspace(-8, 8, 200)]).double()


def value(act: Activation, x: float) -> float:
    return float(act.f(torch.tensor(x, dtype=torch.float64)))


def slope_at(act: Activation, x: mp.mpf, order: int = 1) -> mp.mpf:
    return mp.diff(lambda z: EXACT[act.name](z, act), x, order, h=mp.mpf(10) ** -40)


# --- values ----------------------------------------------------------------------------------------------------


@every
def test_no_value_leaves_the_range_and_each_end_is_come_close_to(act: Activation) -> None:
    low, high = sheet(act).range
    y = act.f(torch.cat([GRID, WIDE, torch.tensor([*act.kinks, *sheet(act).roots]).double()]))
    last = 4 * torch.finfo(torch.float64).eps  # a minimum is computed to a few last places
    assert low - last * abs(low) <= float(y.min())
    assert float(y.max()) <= high + (last * abs(high) if math.isfinite(high) else 0)
    for end, found in ((low, float(y.min())), (high, float(y.max()))):
        if math.isinf(end):
            assert abs(found) > 15  # asinh at 1e8
        else:
            assert found == pytest.approx(end, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in names(kind="elementwise") if get(name).sheet.roots])  # type: ignore[attr-defined]
def test_roots_and_the_values_there_are_right_to_the_last_place(name: str) -> None:
    act = get(name)
    found = sheet(act)
    with mp.workdps(50):
        for root in found.roots:
            # curvatures are of the order of 1 there, or the root is a double one
            assert abs(slope_at(act, mp.mpf(root))) <= 1e-15
            there = float(EXACT[name](mp.mpf(root), act))
            ends = [end for end in found.range if math.isfinite(end) and abs(there - end) < 1e-6]
            assert all(end == pytest.approx(there, rel=2.0**-51, abs=1e-16) for end in ends)


@every
def test_the_slope_is_zero_nowhere_but_at_roots_kinks_and_on_flat_stretches(act: Activation) -> None:
    found = sheet(act)
    reach = (found.period or 128) / 2
    x = torch.linspace(-reach, reach, 16385, dtype=torch.float64)[:-1] + reach / 16384  # between the roots
    slope = act.df(x)
    changes = int(((slope[1:] * slope[:-1]) < 0).sum())
    kinks = [kink for kink in act.kinks if np.prod(np.sign(sides(act, kink))) < 0]
    turning = [root for root in found.roots if np.prod(np.sign(around(act, root))) < 0]
    assert changes == len(turning) + len(kinks)


def sides(act: Activation, kink: float) -> list[float]:
    """Slopes just left and just right of a point."""
    places = [math.nextafter(kink, -math.inf), math.nextafter(kink, math.inf)]
    return act.df(torch.tensor(places, dtype=torch.float64)).tolist()


def around(act: Activation, root: float) -> list[float]:
    return act.df(torch.tensor([root - 1e-4, root + 1e-4], dtype=torch.float64)).tolist()


# --- slopes ----------------------------------------------------------------------------------------------------


@every
def test_no_slope_is_steeper_than_lipschitz_and_one_comes_close(act: Activation) -> None:
    found = sheet(act)
    beside = [place for kink in act.kinks for place in (math.nextafter(kink, -9e9), math.nextafter(kink, 9e9))]
    slopes = act.df(torch.cat([GRID, WIDE, torch.tensor(beside, dtype=torch.float64)])).abs()
    if math.isinf(found.lipschitz):
        assert found.jumps or float(slopes.max()) > 1e6
        return
    assert float(slopes.max()) <= found.lipschitz * (1 + 1e-14)
    assert float(slopes.max()) == pytest.approx(found.lipschitz, rel=1e-4)
    for kink in found.kinks:  # a constant of Lipschitz knows no jump
        assert abs(value(act, math.nextafter(kink, 9e9)) - value(act, math.nextafter(kink, -9e9))) < 1e-9


STEEPEST = {"gelu": 1.4142, "gelu_tanh": 1.4185, "silu": 2.3994, "quick_gelu": 1.4097, "mish": 1.4906, "serf": 1.096,
            "tanhexp": 0.6966, "logish": 2.3168, "smish": 2.2154, "phish": 1.2018, "lisht": 1.1997,
            "gaussian": 0.7071}  # fmt: skip
"""About where the slope of those that have a steepest place off 0 is steepest."""


@pytest.mark.parametrize("name", STEEPEST)
def test_the_steepest_slope_is_right_to_the_last_place(name: str) -> None:
    act = get(name)
    with mp.workdps(50):
        at = mp.findroot(lambda z: slope_at(act, z, 2), mp.mpf(STEEPEST[name]), tol=1e-25, verify=False)
        assert sheet(act).lipschitz == pytest.approx(float(abs(slope_at(act, at))), rel=2.0**-51)


@every
def test_jumps_are_where_the_value_jumps(act: Activation) -> None:
    places = torch.cat([torch.arange(-8, 8.25, 0.25), torch.tensor(act.kinks, dtype=torch.float64)])
    jump = (act.f(places + 1e-9) - act.f(places - 1e-9)).abs()
    assert sorted({float(place) for place in places[jump > 1e-3]}) == sorted(sheet(act).jumps)


@every
def test_bends_are_where_the_curvature_jumps_and_the_slope_does_not(act: Activation) -> None:
    found = sheet(act)
    places = torch.cat([torch.arange(-8, 8.25, 0.25), torch.tensor(found.bends, dtype=torch.float64)])
    jump = (act.d2f(places + 1e-7) - act.d2f(places - 1e-7)).abs()
    bends = {float(place) for place in places[jump > 1e-3]}
    assert sorted(bends - set(act.kinks)) == sorted(found.bends)


# --- shape -----------------------------------------------------------------------------------------------------


@every
def test_a_monotone_function_never_falls_in_any_type(act: Activation) -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        x = torch.cat([GRID, WIDE.clamp(-6e4, 6e4)]).sort().values.to(dtype)
        y = act.f(x).double()
        falls = bool((y[1:] < y[:-1] - (0 if dtype != torch.float64 else 1e-15 * y[:-1].abs())).any())
        assert falls is not sheet(act).monotone


@every
def test_parity_is_that_of_the_bits(act: Activation) -> None:
    found = {}
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        x = torch.cat([GRID, WIDE]).to(dtype)
        there, back = act.f(x), act.f(-x)
        found[dtype] = "odd" if torch.equal(there, -back) else "even" if torch.equal(there, back) else None
    assert set(found.values()) == {sheet(act).parity}


@every
def test_odd_functions_keep_the_sign_of_zero(act: Activation) -> None:
    if sheet(act).parity == "odd":
        for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
            y = act.f(torch.tensor([0.0, -0.0], dtype=dtype))
            assert (y == 0).all()
            assert y.signbit().tolist() == [False, True]


@every
def test_convex_and_concave_are_what_middles_of_chords_say(act: Activation) -> None:
    x = torch.linspace(-20, 20, 641, dtype=torch.float64)
    f = InDoubles(act.f)  # good to less than what is allowed
    y = f(x)
    middle, chord = f((x[:, None] + x) / 2), (y[:, None] + y) / 2
    off = 1e-13 * (1 + chord.abs())
    assert bool((middle <= chord + off).all()) is sheet(act).convex
    assert bool((middle >= chord - off).all()) is sheet(act).concave


@every
def test_homogeneous_functions_scale_as_their_degree_says(act: Activation) -> None:
    degrees = [
        k for k in range(4)
        if all(torch.allclose(act.f(c * GRID), c**k * act.f(GRID), rtol=1e-12, atol=0) for c in (0.5, 2.0, 7.0))
    ]  # fmt: skip
    assert degrees == ([] if sheet(act).homogeneous is None else [sheet(act).homogeneous])


@every
def test_the_slope_repeats_itself_after_a_period(act: Activation) -> None:
    period = sheet(act).period
    if period is not None:
        x = torch.linspace(-3, 3, 301, dtype=torch.float64)
        torch.testing.assert_close(act.df(x + period), act.df(x), rtol=1e-12, atol=1e-13)
        assert not torch.allclose(act.df(x + period / 2), act.df(x), rtol=1e-3)


@every
def test_bounded_sides_are_those_with_a_finite_limit(act: Activation) -> None:
    far = act.f(torch.tensor([-1e12, 1e12], dtype=torch.float64))
    farther = act.f(torch.tensor([-1e15, 1e15], dtype=torch.float64))
    settled = (far - farther).abs() < 1e-6
    assert sheet(act).bounded == tuple(settled.tolist())
    for limit, end in zip(sheet(act).limits, act.f(torch.tensor([-math.inf, math.inf])).tolist(), strict=True):
        assert math.isnan(end) if limit is None else end == pytest.approx(limit, rel=1e-6)


# --- what a backward pass keeps --------------------------------------------------------------------------------


@every
def test_what_is_saved_is_enough_for_the_slope(act: Activation) -> None:
    slopes = act.df(torch.cat([GRID, WIDE])).unique().numel()
    states = {"nothing": 1, "mask": 2, "signs": 3, "input": math.inf}[sheet(act).saved]
    assert slopes <= states
    assert slopes > {"nothing": 0, "mask": 1, "signs": 2, "input": 3}[sheet(act).saved]


def test_bytes_are_a_bit_for_a_mask_and_the_input_in_its_own_type() -> None:
    assert sheet(get("relu")).saved_bytes() == 1 / 8
    assert sheet(get("gelu")).saved_bytes(torch.bfloat16) == 2
    assert sheet(get("identity")).saved_bytes() == 0


# --- as values -------------------------------------------------------------------------------------------------


@every
def test_entries_survive_pickling_and_copying(act: Activation) -> None:
    for twin in (pickle.loads(pickle.dumps(act)), copy.deepcopy(act)):
        assert twin == act
        assert torch.equal(twin.df(GRID), act.df(GRID))


FIRST = """identity relu leaky_relu relu6 hardtanh hardsigmoid hardswish sigmoid tanh softsign arctan erf softplus
    logsigmoid elu celu selu silu gelu gelu_tanh quick_gelu mish squared_relu abs sin gaussian"""
SECOND = """tanhshrink hardshrink softshrink threshold squareplus bent_identity isru isrlu asinh sqnl lisht lecun_tanh
    star_relu serf tanhexp logish smish phish snake sparse_plus sparse_sigmoid hard_mish"""


FOURTH = "prelu swish rrelu apl maxout pau acon_c linear_spline kan_spline dynamic_tanh"


def test_the_learned_functions_are_there() -> None:
    assert len(FOURTH.split()) == 10
    assert set(FOURTH.split()) <= set(names())


def test_the_first_two_tiers_are_there() -> None:
    tiers = FIRST.split(), SECOND.split()
    assert tuple(map(len, tiers)) == (26, 22)
    assert {*tiers[0], *tiers[1]} <= set(names(kind="elementwise"))
    assert all(
        isinstance(get(name), Entry) and isinstance(sheet(get(name)), Sheet) for name in names(kind="elementwise")
    )
