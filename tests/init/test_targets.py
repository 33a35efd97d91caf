"""The points that functions want, against the theory they are made of and against other quadrature."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from limen import activations, theory
from limen.activations import get
from limen.init.choices import Choices
from limen.init.targets import PLAIN, Target, centred_point, growth, target_of

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(150)


def mean(values: torch.Tensor) -> float:
    """Over standard normal numbers, for smooth functions."""
    return float((values.numpy() * WEIGHTS).sum() / math.sqrt(2 * math.pi))


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "hardswish"])
def test_a_deep_model_leaves_a_variance_that_repels(name: str) -> None:
    shallow, deep = (target_of(get(name), Choices(), layers) for layers in (2, 50))
    assert shallow == PLAIN
    (point,) = theory.half_stable_points(name)
    assert (deep.variance, deep.bias_variance, deep.rule) == (point.variance, point.bias_variance, "half-stable")
    assert "repels" in deep.warning


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh", "selu", "elu", "sigmoid", "softplus"])
def test_a_variance_that_attracts_is_kept_at_any_depth(name: str) -> None:
    assert replace(target_of(get(name), Choices(), 1000), warning="") == PLAIN
    assert growth(get(name)) <= 1


def test_a_function_that_repels_and_has_no_stable_point_says_so() -> None:
    target = target_of(get("squared_relu"), Choices(), 10)
    assert target.variance == 1
    assert "no stable point" in target.warning


@pytest.mark.parametrize("name", activations.names(kind="elementwise"))
def test_a_critical_target_keeps_itself_and_the_gradient(name: str) -> None:
    target = target_of(get(name), Choices(mode="critical"), 50)
    if target.rule == "variance":
        assert "no critical point" in target.remark
        return
    found = theory.moments(name, target.variance)
    seen = found.output_variance if target.centred else found.square
    weight_variance = (target.variance - target.bias_variance) / seen  # what a layer between two of them gets
    assert weight_variance * found.slope_square == pytest.approx(1, rel=1e-7)


def test_the_edge_of_chaos_of_tanh_is_the_published_one() -> None:
    target = target_of(get("tanh"), Choices(mode="critical", bias_variance=0.05), 1)
    assert target == Target(pytest.approx(0.57004788, rel=1e-7), 0.05, False, "critical")


def test_a_sigmoid_is_centred_where_a_tanh_of_half_the_slope_is_critical() -> None:
    """``s(z) - 1/2 = tanh(z / 2) / 2``: a quarter of the variance, seen through weights 16 times as large."""
    target = target_of(get("sigmoid"), Choices(mode="critical"), 50)
    assert target.centred
    tanh = theory.edge_of_chaos("tanh", target.bias_variance / 4)[0]
    assert target.variance / 4 == pytest.approx(tanh.variance, rel=1e-9)


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_a_centred_point_attracts_by_iteration(name: str) -> None:
    function = get(name)
    point = centred_point(function, 0.05)
    assert point is not None
    assert 0 < point.chi_q < 1
    z = torch.from_numpy(NODES)
    q = 0.8 * point.variance
    for _ in range(3000):
        y = function.f(math.sqrt(q) * z)
        q = point.weight_variance * (mean(y * y) - mean(y) ** 2) + point.bias_variance
    assert q == pytest.approx(point.variance, rel=1e-6)


def test_other_modes_want_variance_one() -> None:
    for choices in (Choices(mode="orthogonal"), Choices(mode="data"), Choices(keep="backward"), Choices(keep="both")):
        assert replace(target_of(get("gelu"), choices, 50), warning="") == PLAIN
