"""Shaped functions: the published parameters, the conditions in forty digits, and what deep random networks do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath as mp
import pytest
import torch
from torch import nn

from limen.activations import LeakyReLU, PReLU, get
from limen.errors import InvalidValue
from limen.theory import Chain, Curve, Scaled, Series, Shaped, Sum, forward_gain, kernel, largest, residual, shape
from limen.theory.curve import as_curve
from limen.theory.scale_search import nearest_places
from tests.activations.test_catalogue import EXACT
from tests.theory.functions import FORMULAS, FUNCTIONS
from tests.theory.test_precision import cuts, legendre

BLOCKS = [
    residual(Chain(3), 0.6, Chain(1) if first else Chain(0))
    for n in (3, 4, 23, 3)
    for first in [True] + [False] * (n - 1)
]
RESNET = Series((*BLOCKS, Chain(1)))
"""ResNet-101 with shortcuts of weight 0.6, as in the tests of the package dks 0.1.2 (Apache-2.0)."""


def halved(reached: Callable[[float], float], target: float, guess: float, high: float) -> float:
    """That package's search for the number of a layer: halving until the network is within 1e-8 of its target."""
    low, at = 0.0 if high < math.inf else 1.0, guess
    while abs(reached(at) - target) >= 1e-8:
        if reached(at) > target:
            high = at
        else:
            low = at
        at = (low + high) / 2
    return at


DKS = {
    "softplus": (0.18761008168267976, 0.40688063442262007, 8.878672543665223, -0.9213466151411376),
    "tanh": (0.07461073057540868, 0.5566915199964182, 18.002635964442558, -0.5034378768692127),
    "gelu_tanh": (0.07036271496383567, 0.2586837248593587, 20.249573305194307, -0.15758328114374964),
    "gelu": (0.07043253126531114, 0.259489297927707, 20.21158902315857, -0.15815378961903598),
}
"""Input scale and shift, output scale and shift for ζ = 1.2, as printed there to within its two searches."""


@pytest.mark.parametrize("name", DKS)
def test_dks_finds_the_published_parameters(name: str) -> None:
    def reached(slope: float) -> float:
        return largest(RESNET, lambda x: x * slope, 1.0)

    psi = halved(reached, 1.2, 1.1, math.inf)  # theirs: 5e-8 of psi - 1 beside the exact one
    place = next(nearest_places(as_curve(name), lambda found: found.slope_square / found.variance - psi, (0,)))
    # their second search ends when its steps are below 1.5e-8; the conditions themselves are checked below
    scale = 1 / math.sqrt(place.averages.variance)
    assert (place.scale, place.shift, scale, -place.averages.mean) == pytest.approx(DKS[name], rel=3e-9)
    exact = shape(name, structure=RESNET, method="dks", target=1.2)
    function = exact.function
    found = (function.input_scale, function.input_shift, function.output_scale, function.output_shift)
    assert found == pytest.approx(DKS[name], rel=5e-8)
    assert exact.local.chi_1 == pytest.approx(1.002770965849537, rel=1e-14)


TAT = {
    "softplus": (0.15011489794748328, 0.5374599901127068, 10.54880187880574, -0.996481014465811),
    "tanh": (0.0580205218578313, 0.5218639804099805, 22.36066261763117, -0.4796430704354356),
}
"""The same for τ = 0.2."""


@pytest.mark.parametrize("name", TAT)
def test_tat_finds_the_published_parameters_of_smooth_functions(name: str) -> None:
    def reached(curvature: float) -> float:
        return largest(RESNET, lambda x: x + curvature, 0.0)

    tau = halved(reached, 0.2, 0.1, 1.0)
    place = next(nearest_places(as_curve(name), lambda found: found.bend_square / found.slope_square - tau, (1, -1)))
    found = place.averages
    scale = 1 / math.sqrt(found.slope_square)
    assert (place.scale, place.shift, scale, place.offset - found.mean) == pytest.approx(TAT[name], rel=1e-8)
    function = shape(name, structure=RESNET, target=0.2).function
    exact = (function.input_scale, function.input_shift, function.output_scale, function.output_shift)
    assert exact == pytest.approx(TAT[name], rel=5e-8)


def test_both_find_the_published_leaky_relus() -> None:
    tat = shape("leaky_relu", structure=RESNET, target=0.75).function
    assert slope_of(tat) == pytest.approx(0.62918002966, rel=1e-10)
    assert slope_of(tat) == pytest.approx(0.6291800290346146, rel=2e-9)  # within its 1e-8 of the target
    assert tat.output_scale == pytest.approx(1.196996549778802, rel=1e-9)
    dks = shape("leaky_relu", structure=RESNET, method="dks", target=1.2).function
    assert slope_of(dks) == pytest.approx(0.8761257073473065, rel=2e-9)
    assert (dks.output_shift, dks.output_scale) == pytest.approx((-0.049418692997275034, 1.0651832705682147), rel=2e-8)


def slope_of(function: Scaled) -> float:
    assert isinstance(function.base, LeakyReLU | PReLU)
    return function.base.negative_slope


@pytest.mark.parametrize(
    ("depth", "slope", "gain"),
    [
        (20, 0.18138028, 1.39150929),
        (50, 0.43052295, 1.29894779),
        (100, 0.57043953, 1.22840424),
        (200, 0.67959964, 1.16966838),
    ],
)
def test_slopes_of_plain_chains(depth: int, slope: float, gain: float) -> None:
    found = shape("leaky_relu", depth=depth)
    assert (slope_of(found.function), found.function.output_scale) == pytest.approx((slope, gain), abs=5.1e-9)
    with mp.workdps(30):
        a, c = mp.mpf(slope_of(found.function)), mp.mpf(0)
        for _ in range(depth):
            c += (1 - a) ** 2 / (mp.pi * (1 + a * a)) * (mp.sqrt(1 - c * c) - c * mp.acos(c))
    assert found.reached == pytest.approx(float(c), rel=1e-12)
    assert found.reached == pytest.approx(0.9, rel=1e-12)


@pytest.mark.parametrize(("depth", "reached"), [(1, 1 / math.pi), (10, 0.87), (12, 0.9)])
def test_a_chain_too_shallow_gets_a_relu_and_is_told(depth: int, reached: float) -> None:
    found = shape("leaky_relu", depth=depth)
    assert (slope_of(found.function), found.attained) == (0.0, False)
    assert found.function.output_scale == pytest.approx(math.sqrt(2))
    assert found.reached == pytest.approx(reached, abs=0.005)
    assert found.reached < 0.9
    assert (
        f"too shallow for the target 0.9: with a ReLU, the most bent of its kind, it reaches {found.reached:.3g}."
        in (found.remark)
    )
    assert shape("leaky_relu", depth=20).remark == ""


def test_it_is_a_curve_and_a_function_of_tensors() -> None:
    found = shape("leaky_relu", depth=50)
    x = torch.linspace(-3, 3, 13).double()
    assert torch.equal(
        found(x), found.function.output_scale * get("leaky_relu", negative_slope=slope_of(found.function)).f(x)
    )
    assert kernel(found.curve, 0.3) == pytest.approx(kernel(found.function, 0.3), rel=1e-14)
    assert forward_gain(found.curve) == pytest.approx(1, rel=1e-12)


def test_a_leaky_relu_is_not_bent_further_than_a_relu() -> None:
    found = shape("leaky_relu", depth=1, method="dks", target=3.0)
    assert (slope_of(found.function), found.attained) == (0.0, False)
    assert found.reached == pytest.approx(1 / (1 - 1 / math.pi), rel=1e-12)


# --- the conditions, in forty digits ---------------------------------------------------------------------------


def maps_of(function: Scaled, formula: Callable[[mp.mpf], mp.mpf]) -> dict[str, float]:
    """The local maps at variance 1 of the four parameters as they were returned, by sums in forty digits."""
    with mp.workdps(40):
        step = mp.mpf(10) ** -10
        a, b = mp.mpf(function.input_scale), mp.mpf(function.input_shift)
        c, d = mp.mpf(function.output_scale), mp.mpf(function.output_shift)
        sums = dict.fromkeys(("mean", "square", "slope", "growth", "bend"), mp.mpf(0))
        places = (*function.kinks, -function.input_shift / function.input_scale)
        edges = cuts(places, 1.0)
        for low, high in pairwise(edges):
            for node, weight in legendre():
                z = (low + high + (high - low) * node) / 2
                mass = weight * (high - low) / 2 * mp.npdf(z)
                f, above, below = (c * (formula(a * at + b) + d) for at in (z, z + step, z - step))
                slope, bend = (above - below) / (2 * step), (above - 2 * f + below) / step**2
                for key, term in zip(sums, (f, f * f, slope**2, z * f * slope, bend**2), strict=True):
                    sums[key] += mass * term
        square = sums["square"]
        maps = (square, sums["growth"], sums["mean"] ** 2 / square, sums["slope"] / square, sums["bend"] / square)
        return dict(zip(("variance", "chi_q", "correlation", "chi_1", "curvature"), map(float, maps), strict=True))


def formula_of(name: str) -> Callable[[mp.mpf], mp.mpf]:
    return FORMULAS[name] if name in FORMULAS else lambda x: EXACT[name](x, get(name))


CHAINS = [
    ("tanh", 30), ("gelu", 100), ("softplus", 10), ("mish", 50), ("sigmoid", 1000), ("elu", 20), ("softsign", 50),
    ("erf", 50), ("serf", 20), ("bent_identity", 20),
]  # fmt: skip


@pytest.mark.parametrize(("name", "depth"), CHAINS)
def test_dks_meets_its_conditions(name: str, depth: int) -> None:
    found = shape(FUNCTIONS.get(name, name), depth=depth, method="dks")
    maps = maps_of(found.function, formula_of(name))
    assert (maps["variance"], maps["chi_q"]) == (pytest.approx(1, abs=1e-11), pytest.approx(1, abs=1e-10))
    assert maps["correlation"] == pytest.approx(0, abs=1e-24)
    assert maps["chi_1"] ** depth == pytest.approx(1.5, rel=1e-9)
    assert (found.reached, found.attained) == (pytest.approx(1.5, rel=1e-9), True)
    assert vars(found.local) == pytest.approx(maps, rel=1e-9, abs=1e-20)


@pytest.mark.parametrize(("name", "depth"), CHAINS)
def test_tat_meets_its_conditions(name: str, depth: int) -> None:
    found = shape(FUNCTIONS.get(name, name), depth=depth)
    maps = maps_of(found.function, formula_of(name))
    assert [maps[key] for key in ("variance", "chi_q", "chi_1")] == pytest.approx([1, 1, 1], abs=1e-10)
    assert depth * maps["curvature"] == pytest.approx(0.3, rel=1e-9)
    assert (found.reached, found.attained) == (pytest.approx(0.3, rel=1e-9), True)
    assert vars(found.local) == pytest.approx(maps, rel=1e-8)


# --- structures ------------------------------------------------------------------------------------------------


def test_a_depth_is_a_chain() -> None:
    assert shape("tanh", depth=40) == shape("tanh", structure=Series((Chain(15), Chain(25))))


def test_shortcuts_allow_each_layer_more() -> None:
    plain = shape("leaky_relu", structure=Chain(80))
    shortcuts = shape("leaky_relu", structure=Series((residual(Chain(2), 0.8),) * 40))
    assert slope_of(shortcuts.function) < slope_of(plain.function)
    assert shortcuts.reached == pytest.approx(0.9)


def test_the_steepest_part_may_be_a_branch() -> None:
    """A network that is mostly shortcut: its one deep branch decides."""
    net = Series((residual(Chain(30), 0.99), Chain(1)))
    found = shape("gelu", structure=net, method="dks")
    assert found.local.chi_1**30 == pytest.approx(1.5, rel=1e-9)


def test_paths_laid_side_by_side() -> None:
    net = Series((Sum((Chain(1), Chain(3)), (0.25, 0.75)),) * 10)
    found = shape("gelu", structure=net)
    assert 10 * found.local.curvature * (0.25 + 0.75 * 3) == pytest.approx(0.3, rel=1e-10)


# --- real networks ---------------------------------------------------------------------------------------------


def correlations(found: Shaped, depth: int, start: float) -> tuple[float, float]:
    """Mean square and correlation of two inputs after that many wide random layers with orthogonal weights."""
    generator, width = torch.Generator().manual_seed(5), 512
    x = torch.randn(2, width, generator=generator, dtype=torch.float64)
    x[1] = start * x[0] + math.sqrt(1 - start**2) * (x[1] - x[1] @ x[0] / (x[0] @ x[0]) * x[0])
    x *= math.sqrt(width) / x.norm(dim=1, keepdim=True)
    for _ in range(depth):
        weight = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))[0]
        x = found(x @ weight.T)
    return float(x.square().mean()), float(x[0] @ x[1] / x[0].norm() / x[1].norm())


@pytest.mark.parametrize(
    # of a leaky_relu each layer of 512 units changes the mean square by 7 %: in 40 layers by a factor of 1.5 or so
    ("name", "method", "wander"),
    [("leaky_relu", "tat", 1.0), ("gelu", "tat", 0.1), ("tanh", "dks", 0.1)],
)
def test_a_deep_random_network_keeps_inputs_apart(name: str, method: Any, wander: float) -> None:
    depth = 40
    found = shape(name, depth=depth, method=method)
    square, correlation = correlations(found, depth, 0.0)
    c = 0.0
    for _ in range(depth):
        c = kernel(found.function, c)
    assert abs(math.log(square)) < wander
    assert correlation == pytest.approx(c, abs=0.1)


def test_without_shaping_the_same_network_merges_them() -> None:
    relu = Shaped(Scaled(get("relu"), 1.0, 0.0, math.sqrt(2), 0.0), "tat", 0.9, 1.0, shape("leaky_relu", depth=1).local)
    assert correlations(relu, 40, 0.0)[1] > 0.95


# --- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["relu", "selu", "hardtanh", "hardswish"])
def test_tat_refuses_a_slope_that_jumps(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"method='tat'\): its slope jumps, .* Take leaky_relu"):
        shape(name, depth=50)


def test_tat_refuses_a_jump_that_nobody_named() -> None:
    with pytest.raises(InvalidValue, match="its slope jumps"):
        shape(Curve(lambda x: (x - 0.3).abs()), depth=50)


def test_a_kink_that_nobody_named_is_noticed() -> None:
    def bent(x: torch.Tensor) -> torch.Tensor:
        return nn.functional.elu(x - 0.37)

    with pytest.raises(InvalidValue, match="Name all its kinks in a Curve"):
        shape(bent, depth=2, method="dks")
    assert shape(Curve(bent, kinks=(0.37,)), depth=2, method="dks").attained


@pytest.mark.parametrize(
    ("name", "method"), [("relu", "dks"), ("hardtanh", "dks"), ("identity", "dks"), ("identity", "tat")]
)
def test_where_no_scale_and_shift_will_do_it_says_so(name: str, method: Any) -> None:
    with pytest.raises(InvalidValue, match=r"shape\(.*: no scale and shift of its argument give Q'\(1\) = "):
        shape(name, depth=50, method=method)


def test_a_target_beyond_a_function_is_said() -> None:
    with pytest.raises(InvalidValue, match=r"C'\(1\) = 1\.5\. .* or ask for a smaller target"):
        shape("softplus", depth=1, method="dks")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, r"shape\(depth=None, structure=None\): expected one of the two"),
        ({"depth": 3, "structure": Chain(3)}, "expected one of the two"),
        ({"depth": 0}, "expected at least one layer on its paths"),
        ({"structure": Series(())}, "expected at least one layer on its paths"),
        ({"depth": -1}, r"Chain\(depth=-1\): expected a whole number"),
        ({"depth": 3, "method": "eoc"}, r"shape\(method='eoc'\): expected 'tat' or 'dks'"),
        ({"depth": 30, "method": "dks", "target": 1.0}, r"target=1\.0\): expected a number > 1\."),
        ({"depth": 30, "target": -0.1}, r"target=-0\.1\): expected a number > 0\."),
        ({"depth": 30, "target": math.nan}, "expected a number > 0"),
    ],
    ids=str,
)
def test_arguments_that_contradict_each_other_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        shape("tanh", **arguments)


def test_a_correlation_of_one_is_no_target() -> None:
    with pytest.raises(InvalidValue, match=r"target=1\.0\): expected a number > 0 and < 1\."):
        shape("leaky_relu", depth=30, target=1.0)
