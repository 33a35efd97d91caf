import math

import pytest
import torch

from limen.activations import SELU, AtKinks, Hardtanh, ReLU, at_kinks, get
from limen.errors import InvalidValue

KINKED = ["relu", "relu6", "leaky_relu", "prelu", "selu", "hardtanh", "hardsigmoid", "hardswish", "abs", "hardshrink",
          "softshrink", "threshold", "sparse_sigmoid", "hard_mish"]  # fmt: skip


def beside(name: str, side: float) -> list[float]:
    act = get(name)
    return act.df(torch.tensor([math.nextafter(kink, side) for kink in act.kinks], dtype=torch.float64)).tolist()


@pytest.mark.parametrize("name", KINKED)
def test_the_slope_at_each_kink_is_the_one_that_was_chosen(name: str) -> None:
    kinks = torch.tensor(get(name).kinks, dtype=torch.float64)
    left, right = beside(name, -math.inf), beside(name, math.inf)
    assert get(name, slope_at_kink="left").df(kinks).tolist() == left
    assert get(name, slope_at_kink="right").df(kinks).tolist() == right
    middle = [(a + b) / 2 for a, b in zip(left, right, strict=True)]
    assert get(name, slope_at_kink="mean").df(kinks).tolist() == middle
    assert torch.equal(get(name, slope_at_kink="torch").df(kinks), get(name).df(kinks))


@pytest.mark.parametrize("name", KINKED)
def test_nothing_else_changes(name: str) -> None:
    act, other = get(name), get(name, slope_at_kink="mean")
    x = torch.cat([torch.linspace(-7, 7, 1001) + 1e-3, torch.tensor([math.nan])])
    for one, two in ((act.f, other.f), (act.df, other.df), (act.d2f, other.d2f)):
        torch.testing.assert_close(one(x), two(x), rtol=0, atol=0, equal_nan=True)
    assert (other.name, other.kinks, other.monotone) == (act.name, act.kinks, act.monotone)


def test_a_number_may_be_any_slope_between() -> None:
    zero = torch.zeros(3, dtype=torch.bfloat16)
    assert get("relu", slope_at_kink=0.25).df(zero).tolist() == [0.25] * 3
    assert get("abs", slope_at_kink=-1.0).df(zero).tolist() == [-1.0] * 3


def test_clamp_of_torch_has_the_inner_slope_at_its_ends() -> None:
    x = torch.tensor([-1.0, 1.0], requires_grad=True)
    (slope,) = torch.autograd.grad(x.clamp(-1, 1).sum(), x)
    found = [get("hardtanh", slope_at_kink=side).df(x.detach())[i] for i, side in enumerate(("right", "left"))]
    assert slope.tolist() == [float(each) for each in found]


def test_the_curvature_is_that_of_the_chosen_side() -> None:
    zero = torch.zeros(1, dtype=torch.float64)
    assert get("selu", slope_at_kink="left").d2f(zero) == SELU().d2f(torch.tensor([-1e-300], dtype=torch.float64))
    assert get("selu", slope_at_kink="right").d2f(zero) == 0


def test_what_is_not_between_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"relu\(slope_at_kink=2\): expected 'left', .* a number between 0 and 1\."):
        get("relu", slope_at_kink=2)
    with pytest.raises(InvalidValue, match=r"gelu\(slope_at_kink=0\.5\): .* it has no kink, so no number\."):
        get("gelu", slope_at_kink=0.5)
    with pytest.raises(InvalidValue, match=r"relu\(slope_at_kink='middle'\)"):
        at_kinks(ReLU(), "middle")
    with pytest.raises(InvalidValue, match=r"relu\(slope_at_kink=True\)"):
        at_kinks(ReLU(), True)


def test_it_is_a_value() -> None:
    assert at_kinks(Hardtanh(), "left") == AtKinks(Hardtanh(), "left")
    assert hash(at_kinks(Hardtanh(), "left")) == hash(AtKinks(Hardtanh(), "left"))
    assert at_kinks(ReLU(), "torch") == ReLU()
