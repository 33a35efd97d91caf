"""Values that were computed elsewhere, by another quadrature, or are printed in papers: each to its last digit."""

from __future__ import annotations

import math

import pytest

from limen.theory import (
    Stack,
    backward_gain,
    centred_gain,
    chi_1,
    edge_of_chaos,
    fixed_points,
    forward_gain,
    half_stable_points,
    jacobian_spread,
    kernel,
    moments,
    self_normalising,
)
from limen.theory.curve import Function
from tests.theory.functions import FUNCTIONS


def function(name: str) -> Function:
    return FUNCTIONS.get(name, name)


def printed(text: str) -> object:
    """The number to nine digits, or to half a unit of its last digit where fewer are printed."""
    last = 0.5000001 * 10.0 ** -len(text.partition(".")[2])
    return pytest.approx(float(text), rel=1e-9, abs=last if len(text.replace(".", "").lstrip("0-")) < 10 else 0)


GAINS = """
    relu           1.4142135624  1.7128585504  1.4142135624  1         1
    leaky_relu     1.4141428570  1.7048316272  1.4141428570  1         1
    leaky_0.2      1.3867504906  1.5464600604  1.3867504906  1         1
    tanh           1.5925374197  1.5925374197  1.4674135916  0.461071  1.177807
    sigmoid        1.8462285453  4.8013133720  4.7226460859  0.106341  0.152827
    erf            1.4671669505  1.4671669505  1.3252183529  0.408567  1.225700
    hardtanh       1.3920361404  1.3920361404  1.2102870624  0.385127  1.322892
    elu            1.2451983007  1.2708434179  1.2234285576  0.890968  1.035905
    selu           1             1             0.9660257770  0.782648  1.071575
    gelu           1.5335304412  1.7009262434  1.4811144127  1.144063  1.072032
    gelu_tanh      1.5335805217  1.7009165617  1.4811680581  1.144298  1.072024
    silu           1.6765324703  1.7871872221  1.6233202580  1.172594  1.066634
    mish           1.4868475813  1.5920253811  1.4447552325  1.076339  1.059118
    hardswish      1.7366572128  1.8138714738  1.6700763674  1.223920  1.081323
    softplus       1.0418668355  1.9191259801  1.8462285453  0.492053  0.318459
    softsign       2.3375333631  2.3375333631  2.0957806089  0.476712  1.244010
    squared_relu   0.8164965809  0.8944271910  0.7071067812  2         1.333333
    sin            1.5208666232  1.5208666232  1.3272506003  0.313035  1.313035
    atan           1.4912076181  1.4912076181  1.4142135624  0.560819  1.111850
    squareplus     0.8164965809  1.9264952204  1.8591491625  0.333333  0.192877
"""
"""At variance 1: forward, centred and backward gain, then χ_q and χ_1 with the forward gain."""


@pytest.mark.parametrize("row", [line.split() for line in GAINS.strip().splitlines()], ids=lambda row: row[0])
def test_gains_and_slopes_at_variance_one(row: list[str]) -> None:
    act = function(row[0])
    forward = forward_gain(act)
    assert (forward, centred_gain(act), backward_gain(act)) == tuple(map(printed, row[1:4]))
    found = moments(act)
    assert (forward**2 * found.growth, forward**2 * found.slope_square) == tuple(map(printed, row[4:]))


SPREADS = {
    "relu": "1", "leaky_0.2": "0.85207", "tanh": "0.58348", "hardtanh": "0.46479", "erf": "0.6666666667",
    "gelu": "1.08833", "silu": "0.99005", "selu": "0.31620", "elu": "0.33168", "mish": "0.83746",
}  # fmt: skip
"""``μ_2 / μ_1² - 1`` at variance 1."""


@pytest.mark.parametrize("name", SPREADS)
def test_spread_of_the_squared_slopes(name: str) -> None:
    assert jacobian_spread(function(name), 1, orthogonal=True) == printed(SPREADS[name])


EDGES = """
    tanh   0.05  0.57004788  1.76095464  attracts
    tanh   0.01  0.27330091  1.42420529  attracts
    tanh   0.04  0.51207850  1.70079637  attracts
    tanh   0.1   0.80579918  1.98607264  attracts
    tanh   0.2   1.16449629  2.28515247  attracts
    erf    0.05  0.51717684  1.37583901  attracts
    gelu   0.05  0.72203577  2.30251951  repels
    gelu   0.2   4.47095031  1.97067181  attracts
    silu   0.2   3.33673657  2.18668941  repels
    elu    0.05  1.30091257  1.53371833  attracts
    mish   0.1   1.77159104  2.00685457  attracts
"""
"""Biases' variance, the variance that is kept, the weights' variance, and whether it attracts."""


@pytest.mark.parametrize(
    "row", [line.split() for line in EDGES.strip().splitlines()], ids=lambda row: " ".join(row[:2])
)
def test_points_of_the_edge_of_chaos(row: list[str]) -> None:
    points = edge_of_chaos(function(row[0]), float(row[1]))
    found = [(point.variance, point.weight_variance, point.stability) for point in points]
    assert (printed(row[2]), printed(row[3]), row[4]) in found


def test_the_edge_of_hardtanh_solves_its_closed_equation() -> None:
    (point,) = edge_of_chaos("hardtanh", 0.05)
    assert point.weight_variance == printed("1.16554469")
    assert point.weight_variance * math.erf(1 / math.sqrt(2 * point.variance)) == pytest.approx(1, rel=1e-12)


def test_the_edge_of_a_sigmoid_lies_where_nobody_starts() -> None:
    (point,) = edge_of_chaos("sigmoid")
    assert (point.weight_variance, point.variance) == (pytest.approx(103.0, abs=0.05), pytest.approx(45.6, abs=0.05))


@pytest.mark.parametrize("bias_variance", [0.05, 0.2, 0.5])
def test_softplus_has_no_edge(bias_variance: float) -> None:
    assert edge_of_chaos("softplus", bias_variance) == ()


TANH = [
    ("1.0", "0.19359", "0.75903", "3.63"),
    ("1.5", "0.41804", "0.93864", "15.79"),
    ("1.7", "0.53308", "0.98674", "74.92"),
    ("2.5", "1.06396", "1.13352", "7.98"),
    ("4", "2.19549", "1.34240", "3.40"),
]


@pytest.mark.parametrize(("weights", "variance", "slope", "depth"), TANH)
def test_depth_scales_of_tanh_with_biases(weights: str, variance: str, slope: str, depth: str) -> None:
    (point,) = fixed_points(Stack("tanh", float(weights), 0.05))
    assert (point.variance, point.chi_1, point.gradient_depth) == tuple(map(printed, (variance, slope, depth)))


DEFAULTS = [
    ("tanh", 5 / 3, "1.1785", "1.2098", 117),
    ("tanh", 1.5925374196722, "1.0000", "1.17781", 60),
    ("sigmoid", 1.0, "0.2647", "0.0557", 4.5e-32),
    ("selu", 0.75, "0.0230", "1.00367", 1.10),
    ("selu", 1.0, "1.0000", "1.07157", 5.6),
]


@pytest.mark.parametrize(("name", "gain", "variance", "slope", "gradient"), DEFAULTS)
def test_what_the_gains_of_torch_do(name: str, gain: float, variance: str, slope: str, gradient: float) -> None:
    (point,) = (point for point in fixed_points(Stack(name, gain**2)) if point.stability == "attracts")
    assert (point.variance, point.chi_1) == (printed(variance), printed(slope))
    assert point.chi_1**25 == pytest.approx(gradient, rel=0.02)  # its norm after 50 layers


@pytest.mark.parametrize(("name", "slope"), [("gelu", 0.5), ("silu", 0.5), ("hardswish", 0.5), ("mish", 0.72)])
def test_with_the_gain_of_a_relu_the_signal_dies_out(name: str, slope: float) -> None:
    (zero,) = fixed_points(Stack(name, 2.0))
    assert (zero.variance, zero.chi_1) == (0, pytest.approx(slope))


HALF_STABLE = """
    silu        14.320173618  1.9880046783  0.5551431707
    gelu         3.561552813  1.9830582574  0.1729223908
    mish         1.670169132  2.0135240697  0.0945217874
    hardswish    4.803855949  1.9732895836  0.5071458488
    gelu_tanh    3.556772845  1.9828882398  0.1728951983
    quick_gelu   4.943438913  1.9880046783  0.1916398799
    serf         0.236895271  1.9976137192  0.0078760357
    logish       6.013070241  4.1756682132  0.3273541309
    snake        0.304688932  0.6866665216  0.0171358732
"""
"""K*, C_W and C_b."""


@pytest.mark.parametrize("row", [line.split() for line in HALF_STABLE.strip().splitlines()], ids=lambda row: row[0])
def test_half_stable_points(row: list[str]) -> None:
    (point, *_) = half_stable_points(function(row[0]))
    assert (point.variance, point.weight_variance, point.bias_variance) == tuple(map(printed, row[1:]))


@pytest.mark.parametrize("name", ["elu", "selu", "celu", "softplus", "sigmoid", "tanhexp", "bent_identity"])
def test_these_have_no_half_stable_point(name: str) -> None:
    assert half_stable_points(function(name)) == ()


NORMALISED = """
    elu        1.2708434179  -0.2039965127  0.860232  1.079013
    celu_2     1.1626938731  -0.1141532261  0.887325  1.029545
    serf       1.5088111018  -0.3761585057  0.934402  1.206507
    tanhexp    1.4738098791  -0.3863323260  0.878557  1.218929
    sigmoid    4.8013133720  -2.4006566860  0.719201  1.033592
    snake      0.9447159235  -0.4084312632  0.908535  1.338583
    relu       1.7128585504  -0.6833316961  1         1.466942
"""
"""Scale, shift, χ_q and χ_1 of SELU's construction."""

NOT_NORMALISED = """
    gelu       1.7009262434  -0.4798224344  1.062116
    silu       1.7871872221  -0.3692703469  1.100947
    mish       1.5920253811  -0.3827290920  1.000977
    hardswish  1.8138714738  -0.3014957318  1.155799
    softplus   1.9191259801  -1.5469291203  1.056125
"""


ROWS = [(line.split(), table == NOT_NORMALISED) for table in (NORMALISED, NOT_NORMALISED) for line in table.split("\n")]


@pytest.mark.parametrize(("row", "repels"), [pytest.param(*case, id=case[0][0]) for case in ROWS if case[0]])
def test_scale_and_shift_of_a_self_normalising_function(row: list[str], repels: bool) -> None:
    found = self_normalising(function(row[0]))
    expected = tuple(map(printed, row[1:]))
    assert (found.scale, found.shift, found.chi_q, found.chi_1)[: len(expected)] == expected
    assert (found.stability == "repels") == repels


def test_selus_own_numbers() -> None:
    found = moments("selu")
    assert found.growth == printed("0.78264788")
    mean_growth = (moments("selu", 1 + 1e-5).mean - moments("selu", 1 - 1e-5).mean) / 2e-5
    assert mean_growth == printed("0.08883476")
    assert math.hypot(found.growth, mean_growth) == printed("0.78767336")


def test_the_correlation_map_of_a_relu() -> None:
    assert 2 * kernel("relu", 0.0) == printed("0.3183098862")
    assert 2 * kernel("relu", 0.5) == printed("0.6089977810")
    assert forward_gain(function("leaky_0.2")) ** 2 * kernel(function("leaky_0.2"), 0.0) == printed("0.1958830069")


def test_the_mean_slope_of_a_sigmoid_is_not_its_largest() -> None:
    assert moments("sigmoid").slope == printed("0.2066")
    assert chi_1(Stack("sigmoid", 16.0), 1e-12) == pytest.approx(1)  # (4 · 0.25)², in the limit of small signals
