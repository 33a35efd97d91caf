"""Learned entries: what they refuse, and what they are at special parameters; Maxout."""

from __future__ import annotations

import math

import pytest
import torch

from limen.activations import get
from limen.errors import InvalidValue

X = torch.linspace(-9, 9, 181, dtype=torch.float64)

SAME = [
    (get("swish"), "silu"),
    (get("swish", beta=1.702), "quick_gelu"),
    (get("acon_c"), "silu"),
    (get("acon_c", p1=1.0, p2=1.0), "identity"),
    (get("dynamic_tanh", alpha=1.0), "tanh"),
    (get("apl", slopes=(-0.25,), hinges=(0.0,)), "prelu"),
    (get("apl", slopes=(1.0,), hinges=(0.0,)), "abs"),
    (get("linear_spline"), "prelu"),
    (get("linear_spline", coefficients=(0.0, 0.0, 1.0), low=-1.0, high=1.0), "relu"),
    (get("kan_spline"), "silu"),
    (get("pau", numerator=(0.0, 1.0), denominator=(1.0,)), "softsign"),
    (get("pau", numerator=(0.0, 1.0), denominator=()), "identity"),
]


@pytest.mark.parametrize(("entry", "known"), SAME, ids=[f"{entry.name}-{known}" for entry, known in SAME])
def test_at_some_parameters_they_are_functions_that_are_known(entry: object, known: str) -> None:
    other = get(known)
    torch.testing.assert_close(entry.f(X), other.f(X), rtol=1e-13, atol=1e-14)
    assert entry.sheet.range == pytest.approx(other.sheet.range, rel=1e-12, abs=1e-12)
    assert entry.sheet.lipschitz == pytest.approx(other.sheet.lipschitz, rel=1e-12)
    assert entry.sheet.parity == other.sheet.parity or known in ("softsign", "prelu")


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("swish", {"beta": math.nan}, r"swish\(beta=nan\): expected a finite number"),
        ("acon_c", {"p2": math.inf}, r"acon_c\(p2=inf\): expected a finite number"),
        ("dynamic_tanh", {"weight": "wide"}, r"dynamic_tanh\(weight='wide'\): expected a finite number"),
        ("apl", {"slopes": (0.1, math.nan)}, r"apl\(slopes=\(0.1, nan\)\): expected a sequence of 1 or more finite"),
        ("apl", {"hinges": (0.1,)}, r"apl: 2 slopes and 1 hinges. Expected one slope for each hinge"),
        ("pau", {"numerator": ()}, r"pau\(numerator=\(\)\): expected a sequence of 1 or more finite numbers"),
        ("pau", {"denominator": "1234"}, r"pau\(denominator='1234'\): expected a sequence of 0 or more finite numbers"),
        ("pau", {"denominator": 3.0}, r"pau\(denominator=3.0\): expected a sequence"),
        ("linear_spline", {"coefficients": (1.0,)}, r"linear_spline\(.*expected a sequence of 2 or more"),
        ("linear_spline", {"low": 3.0}, r"linear_spline\(low=3.0, high=3.0\): expected finite numbers with low < high"),
        ("kan_spline", {"coefficients": (1, 2, 3)}, r"kan_spline\(.*expected a sequence of 4 or more"),
        ("rrelu", {"lower": 0.5}, r"rrelu\(lower=0.5, upper=0.333.*\): expected lower <= upper"),
    ],
)
def test_what_makes_no_function_is_refused(name: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        get(name, **parameters)


def test_lists_are_taken_and_become_tuples() -> None:
    assert get("apl", slopes=[-1, 2], hinges=[0, 1]) == get("apl", slopes=(-1.0, 2.0), hinges=(0.0, 1.0))
    assert hash(get("pau", numerator=[0, 1], denominator=[1])) is not None


# --- Maxout ----------------------------------------------------------------------------------------------------


def inputs(pieces: int) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(pieces)
    return tuple(torch.randn(50, generator=draw, dtype=torch.float64) for _ in range(pieces))


@pytest.mark.parametrize("pieces", [2, 3, 7])
def test_maxout_is_the_largest_and_its_slopes_say_which(pieces: int) -> None:
    entry, given = get("maxout", kind="gated", pieces=pieces), tuple(one.requires_grad_() for one in inputs(pieces))
    y = entry.f(*given)
    assert y.tolist() == [max(row) for row in zip(*(one.tolist() for one in given), strict=True)]
    slopes = torch.autograd.grad(y.sum(), given)
    for mine, autograd in zip(entry.df(*(one.detach() for one in given)), slopes, strict=True):
        assert torch.equal(mine, autograd)


def test_of_equal_inputs_of_maxout_the_first_has_the_slope() -> None:
    same = torch.tensor([1.0, -2.0])
    first, second, third = get("maxout", kind="gated", pieces=3).df(same - 1, same, same)
    assert (first.tolist(), second.tolist(), third.tolist()) == ([0, 0], [1, 1], [0, 0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_maxout_keeps_nan_and_types(dtype: torch.dtype) -> None:
    entry = get("maxout", kind="gated")
    a, b = torch.tensor([1.0, math.nan, 3.0], dtype=dtype), torch.tensor([2.0, 0.0, math.nan], dtype=dtype)
    assert entry.f(a, b).isnan().tolist() == [False, True, True]
    for slope in entry.df(a, b):
        assert slope.dtype == dtype
        assert slope.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize("pieces", [1, 0, 2.0, True])
def test_what_is_no_number_of_pieces_is_refused(pieces: int) -> None:
    with pytest.raises(InvalidValue, match=r"maxout\(pieces=.*\): expected a whole number >= 2"):
        get("maxout", kind="gated", pieces=pieces)
