"""Every entry of the catalogue against autograd, higher precision and torch's own operators."""

import math

import mpmath as mp
import pytest
import torch
from torch import Tensor, nn

from benchmarks.formulas import EXACT
from limen.activations import (
    ACONC,
    APL,
    CELU,
    ELU,
    ISRU,
    PAU,
    Activation,
    DynamicTanh,
    Entry,
    Hardshrink,
    Hardtanh,
    KANSpline,
    LeakyReLU,
    LinearSpline,
    PReLU,
    RReLU,
    ScaledTanh,
    Sheet,
    Sin,
    Snake,
    Softplus,
    Softshrink,
    SquarePlus,
    Swish,
    Threshold,
    get,
    names,
    of_module,
)
from tests.activations.cases import over

VARIANTS = [ELU(0.3), CELU(0.5), LeakyReLU(0.2), LeakyReLU(-0.1), PReLU(0.0), Softplus(3.0), Hardtanh(-2.0, 0.5),
            ISRU(0.25), SquarePlus(1.0), Softshrink(0.25), ScaledTanh(0.0, 10.0), ScaledTanh(-3.0, 1.0)]  # fmt: skip
EVERY = [*(get(name) for name in names(kind="elementwise")), *VARIANTS]

FREE = (0.125, 0.5, 1.5, 1.0, 0.5, 0.25)
LEARNED = [
    Swish(0.125), Swish(-2.0), Swish(0.0), ACONC(1.5, -0.5, 2.0), ACONC(1.0, -1.0), ACONC(0.5, 1.0, 0.0),
    ACONC(0.25, 2.0, -1.0), DynamicTanh(-1.0, 2.0, 0.5), RReLU(0.0, 0.5), APL((0.5, -0.25, 1.0), (-1.0, 0.5, 2.0)),
    APL((-0.5,), (0.0,)), LinearSpline((1.0, 0.0, 0.25, -0.5), -1.0, 2.0),
    LinearSpline(tuple(math.tanh(k / 2) for k in range(-4, 5)), -2.0, 2.0), LinearSpline((-2.0, -1.0, 1.0, 2.0)),
    KANSpline((0.25, -0.5, 1.0, 0.75, -0.25, 0.5), -2.0, 1.0, 0.5, 2.0),
    KANSpline((0.0, 1.0, 0.0, 0.5), base_weight=-1.0),
    PAU(FREE, (1.0, 2.0, 0.5, 0.25)), PAU((0.0, 1.0, 0.5), (0.5,)), PAU((1.0, 0.5, 0.25), ()),
]  # fmt: skip
"""Learned functions at other moments than the first."""

MORE = [*EVERY, *LEARNED, Sin(3.0), Snake(0.5), Hardshrink(2.0), Threshold(-1.0, -1.0), LeakyReLU(1.0), LeakyReLU(-1.0)]
"""With parameters that only tests of single functions can afford."""


every = over("act", MORE)


def sheet(act: Activation) -> Sheet:
    assert isinstance(act, Entry)
    return act.sheet


GRID = torch.cat([torch.linspace(-40, 40, 4001), torch.linspace(-2, 2, 801), torch.zeros(1)]).double()


def away_from(kinks: tuple[float, ...], x: Tensor) -> Tensor:
    """The points of ``x`` that are farther than 1e-6 from every kink."""
    far = [(x - kink).abs() > 1e-6 for kink in kinks]
    return x[torch.stack(far).all(0)] if far else x


# --- slope and curvature are the derivatives -------------------------------------------------------------------


@every
def test_df_is_what_autograd_says(act: Activation) -> None:
    x = away_from(act.kinks, GRID).clone().requires_grad_()
    (slope,) = torch.autograd.grad(act.f(x).sum(), x)
    # autograd multiplies rounded factors: a few units in the last place of numbers up to 80
    torch.testing.assert_close(act.df(x.detach()), slope, rtol=1e-12, atol=1e-12)


@every
def test_d2f_is_the_slope_of_df(act: Activation) -> None:
    # where the curvature jumps, autograd and the entry may choose different sides
    x = away_from((*act.kinks, *sheet(act).bends, 0.0), GRID).clone().requires_grad_()
    slope = act.df(x)
    curvature = torch.zeros_like(x)
    if slope.requires_grad:
        (curvature,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(act.d2f(x.detach()), curvature, rtol=1e-11, atol=1e-12)


@every
def test_autograd_may_be_asked_twice(act: Activation) -> None:
    x = away_from((*act.kinks, *sheet(act).bends, 0.0), GRID[GRID.abs() < 20]).clone().requires_grad_()
    (slope,) = torch.autograd.grad(act.f(x).sum(), x, create_graph=True)
    curvature = torch.zeros_like(x)
    if slope.requires_grad:
        (curvature,) = torch.autograd.grad(slope.sum(), x)
    # two passes of products of rounded factors, of a size of up to 20²
    torch.testing.assert_close(act.d2f(x.detach()), curvature, rtol=1e-9, atol=1e-11)


# --- against higher precision ---------------------------------------------------------------------------------


POINTS = (-600.0, -100.0, -37.0, -20.0, -8.0, -5.5, -2.9, -1.3, -0.7, -0.03, -1e-9,
          1e-9, 0.02, 0.6, 1.7, 4.1, 7.3, 17.0, 25.0, 40.0, 300.0)  # fmt: skip


STEP = 20
"""Digits: differences over ``10^-STEP`` are off by about the square of that."""


def exact_at(act: Activation, point: float) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """Value, slope and curvature, by central differences whose rounding is below 1e-320."""
    with mp.workdps(360):  # tanh(-600) must still differ from -1
        step = mp.mpf(10) ** -STEP
        below, here, above = (EXACT[act.name](mp.mpf(point) + side * step, act) for side in (-1, 0, 1))
        return here, (above - below) / (2 * step), (above - 2 * here + below) / step**2


@every
def test_value_slope_and_curvature_agree_with_higher_precision(act: Activation) -> None:
    x = torch.tensor(POINTS, dtype=torch.float64)
    with mp.workdps(360):
        for point, *several in zip(POINTS, act.f(x).tolist(), act.df(x).tolist(), act.d2f(x).tolist(), strict=True):
            for what, found, exact in zip(("f", "df", "d2f"), several, exact_at(act, point), strict=True):
                # 1e-12 is left where an argument of a few hundred is rounded before it is exponentiated
                allowed = max(mp.mpf("1e-12") * abs(exact), mp.mpf("1e-300"))
                assert abs(found - exact) <= allowed, (what, point, found, mp.nstr(exact, 17))


def test_every_entry_has_an_exact_formula_here() -> None:
    assert set(names(kind="elementwise")) <= set(EXACT)


@pytest.mark.parametrize(
    ("name", "order", "point", "exact"),
    [
        ("gelu", 0, -9.0, "-1.016e-18"),
        ("sigmoid", 1, 37.0, "8.53e-17"),
        ("tanh", 1, 19.1, "1.03e-16"),
        ("gelu_tanh", 0, -8.0, "-3.1e-21"),
        ("silu", 0, -710.0, "-3.18e-306"),
        ("mish", 1, -90.0, "-7.29e-38"),
    ],
)
def test_nothing_is_lost_where_torch_loses_all_digits(name: str, order: int, point: float, exact: str) -> None:
    act = get(name)
    found = float((act.f, act.df)[order](torch.tensor(point, dtype=torch.float64)))
    digits = len(exact.split("e")[0].replace("-", "").replace(".", ""))
    assert found == pytest.approx(float(exact), rel=10.0 ** (1 - digits))


# --- torch's operators ----------------------------------------------------------------------------------------

MODULES = [
    nn.Tanhshrink(),
    nn.Hardshrink(),
    nn.Hardshrink(1.5),
    nn.Softshrink(),
    nn.Softshrink(1.5),
    nn.Threshold(0.5, -1.0),
    nn.Identity(),
    nn.ReLU(),
    nn.LeakyReLU(),
    nn.LeakyReLU(0.3),
    nn.PReLU(),
    nn.ReLU6(),
    nn.ELU(),
    nn.ELU(0.4),
    nn.CELU(),
    nn.CELU(0.4),
    nn.SELU(),
    nn.GELU(),
    nn.GELU("tanh"),
    nn.SiLU(),
    nn.Mish(),
    nn.Sigmoid(),
    nn.LogSigmoid(),
    nn.Tanh(),
    nn.Softplus(),
    nn.Softplus(2.0),
    nn.Hardswish(),
    nn.Hardsigmoid(),
    nn.Hardtanh(),
    nn.Hardtanh(-0.5, 2.0),
    nn.Softsign(),
]


def slope_tolerance(module: nn.Module) -> float:
    """Relative; torch rounds 1 / alpha and 1/6 to single precision in two backward passes, also for double tensors.

    In CELU that error of 2⁻²⁴ is multiplied by the exponent, which is at most 12.5 here.
    """
    return 12.5 * 2.0**-24 if isinstance(module, nn.CELU | nn.Hardsigmoid) else 1e-11


def entry_of(module: nn.Module) -> Activation:
    act = of_module(module)
    assert act is not None
    return act


@pytest.mark.parametrize("module", MODULES, ids=repr)
def test_value_and_slope_are_those_of_torch_at_ordinary_inputs(module: nn.Module) -> None:
    act = entry_of(module)
    x = away_from(act.kinks, torch.linspace(-5, 5, 1001).double()).clone().requires_grad_()
    y = module.double()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    # torch's own tails (gelu's 1 + erf) are good to 1e-13 absolute in this range
    torch.testing.assert_close(act.f(x), y, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(act.df(x.detach()), slope, rtol=slope_tolerance(module), atol=1e-13)


@pytest.mark.parametrize("module", MODULES, ids=repr)
def test_the_slope_at_a_kink_is_the_one_torch_returns(module: nn.Module) -> None:
    act = entry_of(module)
    x = torch.tensor([*act.kinks, 0.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(module.double()(x).sum(), x)
    torch.testing.assert_close(act.df(x.detach()), slope, rtol=slope_tolerance(module), atol=0)
    torch.testing.assert_close(act.f(x), module(x), rtol=1e-12, atol=1e-16)


# --- not a number, infinity, types ----------------------------------------------------------------------------


@every
def test_nan_stays_nan_in_value_slope_and_curvature(act: Activation) -> None:
    x = torch.tensor([math.nan])
    assert act.f(x).isnan().all()
    assert act.df(x).isnan().all()
    assert act.d2f(x).isnan().all()


@every
def test_no_finite_input_gives_nan_and_types_are_kept(act: Activation) -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        largest = torch.finfo(dtype).max
        x = torch.tensor([-largest, -1e30, -1e4, -50.0, -1.0, -0.0, 0.0, 1.0, 50.0, 1e4, 1e30, largest], dtype=dtype)
        for y in (act.f(x), act.df(x), act.d2f(x)):
            assert y.dtype == dtype
            assert not y.isnan().any(), dtype


@every
def test_half_precision_gives_no_nan(act: Activation) -> None:
    x = torch.linspace(-60000, 60000, 2001).half()
    assert not torch.stack([act.f(x), act.df(x), act.d2f(x)]).isnan().any()


@every
def test_the_limits_at_infinity_are_those_of_the_function(act: Activation) -> None:
    ends = torch.tensor([-math.inf, math.inf], dtype=torch.float64)
    far = torch.tensor([-1e300, 1e300], dtype=torch.float64)
    for order, function in enumerate((act.f, act.df, act.d2f)):
        at_end, nearby = function(ends), function(far)
        grows = nearby.abs() > 100  # the slowest grows as a logarithm, to 691
        if sheet(act).period and (order or None in sheet(act).limits):  # a wave has no limit
            assert at_end.isnan().all(), order
            continue
        assert not at_end.isnan().any(), order
        assert (at_end[grows] == nearby[grows].sign() * math.inf).all(), order
        torch.testing.assert_close(at_end[~grows], nearby[~grows], rtol=1e-12, atol=1e-12)


@every
def test_monotone_says_whether_the_function_ever_falls(act: Activation) -> None:
    falls = bool((act.df(GRID) < 0).any())
    assert act.monotone is not falls


@every
def test_kinks_are_where_the_slope_jumps(act: Activation) -> None:
    step = 1e-7
    places = torch.cat([torch.arange(-8, 8.25, 0.25), torch.tensor(act.kinks, dtype=torch.float64)])
    jump = (act.df(places + step) - act.df(places - step)).abs()
    assert sorted({float(place) for place in places[jump > 1e-3]}) == sorted(act.kinks)


@every
def test_an_input_is_left_as_it_was(act: Activation) -> None:
    x = torch.linspace(-4, 4, 9)
    before = x.clone()
    act.f(x).add_(1.0)
    act.df(x).add_(1.0)
    act.d2f(x).add_(1.0)
    assert torch.equal(x, before)
