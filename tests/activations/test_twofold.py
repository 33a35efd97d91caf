"""Twofold numbers against mpmath: sums, products and quotients to a hundred bits, functions to less than 2⁻⁵⁶."""

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import torch

from limen.activations.twofold import Number, Twofold, clamp, collapse, exp, log1p, magnitude, single, sqrt, tanh, where

DRAW = np.random.default_rng(2)
X, Y = DRAW.normal(size=200), DRAW.normal(size=200)


def numbers(x: Number) -> list[mp.mpf]:
    assert isinstance(x, Twofold)
    return [mp.mpf(near) + mp.mpf(rest) for near, rest in zip(x.near.tolist(), x.rest.tolist(), strict=True)]


def bits(found: Number, truth: list[mp.mpf]) -> float:
    """How many bits of the worst are right."""
    off = max(abs(one - other) / abs(other) for one, other in zip(numbers(found), truth, strict=True))
    return 200.0 if off == 0 else -float(mp.log(off, 2))


def doubles(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(x, dtype=np.float64))


OPERATORS: dict[str, Callable[[Number, Number], Number]] = {
    "sum": lambda x, y: x + y,
    "difference": lambda x, y: x - y,
    "product": lambda x, y: x * y,
    "quotient": lambda x, y: x / y,
    "of a third": lambda x, y: (x / 3) * (y / 3) - x / (y * y),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_good_to_a_hundred_bits(name: str) -> None:
    operator = OPERATORS[name]
    with mp.workdps(80):
        truth = [operator(mp.mpf(x), mp.mpf(y)) for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
        assert bits(operator(single(doubles(X)), single(doubles(Y))), truth) > 95


@pytest.mark.parametrize("name", ["sum", "difference", "product"])
def test_a_tensor_may_stand_on_either_side(name: str) -> None:
    operator, x, y = OPERATORS[name], doubles(X), doubles(Y)
    for left, right in ((x, single(y)), (single(x), y)):
        assert numbers(operator(left, right)) == numbers(operator(single(x), single(y)))
    with mp.workdps(60):
        assert bits(1 / single(x), [1 / mp.mpf(each) for each in X.tolist()]) > 95
        assert bits(0.5 - single(x), [mp.mpf(0.5) - mp.mpf(each) for each in X.tolist()]) > 95


SPREAD = np.exp(DRAW.uniform(-30, 2, 200))
FUNCTIONS = {
    "exp": (exp, mp.exp, np.concatenate([DRAW.uniform(-600, 0, 200), DRAW.uniform(-2, 2, 200)])),
    "log1p": (log1p, mp.log1p, SPREAD),
    "tanh": (tanh, mp.tanh, np.concatenate([SPREAD, -SPREAD])),
    "sqrt": (sqrt, mp.sqrt, SPREAD),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_good_to_a_tenth_of_a_last_place(name: str) -> None:
    found, truth, x = FUNCTIONS[name]
    with mp.workdps(60):
        assert bits(found(single(doubles(x))), [truth(mp.mpf(each)) for each in x.tolist()]) > 56


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_beyond_a_double_counts(name: str) -> None:
    found, truth, x = FUNCTIONS[name]
    x = np.abs(x[:50]) + 1 if name != "exp" else x[:50]
    rest = doubles(np.ldexp(x, -55))
    with mp.workdps(60):
        exact = [truth(mp.mpf(one) + mp.mpf(other)) for one, other in zip(x.tolist(), rest.tolist(), strict=True)]
        assert bits(found(Twofold(doubles(x), rest)), exact) > 56


@pytest.mark.parametrize("name", FUNCTIONS)
def test_on_tensors_they_are_torchs_own(name: str) -> None:
    found, _, x = FUNCTIONS[name]
    torch.testing.assert_close(found(doubles(x)), getattr(torch, name)(doubles(x)), rtol=0, atol=0)


def test_exp_ends_in_zero_and_keeps_nan() -> None:
    found = exp(single(torch.tensor([-2000.0, -torch.inf, 0.0, torch.nan], dtype=torch.float64)))
    assert collapse(found)[:3].tolist() == [0.0, 0.0, 1.0]
    assert collapse(found)[3].isnan()


def test_a_zero_keeps_its_sign() -> None:
    zeros = torch.tensor([0.0, -0.0], dtype=torch.float64)
    for same in (single(zeros), clamp(single(zeros), -1.0, 1.0), where(zeros == 0, zeros, single(zeros + 1))):
        assert collapse(same).signbit().tolist() == [False, True]
    assert collapse(magnitude(single(-1 * torch.ones(1, dtype=torch.float64)))) == 1


def test_autograd_passes_through() -> None:
    x = doubles(X).requires_grad_()
    (slope,) = torch.autograd.grad(collapse(exp(single(x)) / (1 + single(x) * x)).sum(), x)
    plain = doubles(X).requires_grad_()
    (expected,) = torch.autograd.grad((torch.exp(plain) / (1 + plain * plain)).sum(), plain)
    torch.testing.assert_close(slope, expected, rtol=1e-14, atol=1e-14)
