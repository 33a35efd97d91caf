"""From one number to the next: no step down where a function rises, and the same bits wherever a number lies."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from limen.activations import Activation, Entry, get, names
from tests.activations.test_rounding import HALVES, all_of

RISING = [name for name in names(kind="elementwise") if get(name).monotone]
PLACES = (-100.0, -88.73, -20.0, -9.01, -5.5, -3.0, -2.5, -2.0, -1.0, -0.5, -1e-4, -1e-30, 1e-30, 1e-4, 0.5, 0.785,
          1.0, 1.57, 2.0, 2.5, 3.0, 6.0, 9.01, 17.0, 20.0, 88.73, 1e6, 1e19, 3e38)  # fmt: skip


def entry(name: str) -> Entry:
    act = get(name)
    assert isinstance(act, Entry)
    return act


def run(place: float, dtype: torch.dtype, length: int) -> Tensor:
    """Numbers of that type one after the other, around a place, ascending."""
    whole = {torch.float32: torch.int32, torch.float64: torch.int64}[dtype]
    middle = int(torch.tensor(abs(place), dtype=dtype).view(whole))
    found = torch.arange(middle - length // 2, middle + length // 2, dtype=whole).view(dtype)
    return found if place > 0 else -found.flip(0)


def falls(act: Activation, x: Tensor) -> Tensor:
    y = act.f(x)
    return x[1:][y[1:] < y[:-1]]


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_no_half_precision_number_is_a_step_down(name: str, dtype: torch.dtype) -> None:
    x = all_of(dtype)
    assert not len(falls(get(name), x[x.isfinite()].double().sort().values.to(dtype)))


@pytest.mark.parametrize("name", RISING)
def test_no_step_down_from_one_single_precision_number_to_the_next(name: str) -> None:
    for place in (*PLACES, *(kink or 1e-38 for kink in get(name).kinks)):
        x = run(place, torch.float32, 2000)
        assert not len(falls(get(name), x[x.isfinite()])), place


@pytest.mark.parametrize("name", RISING)
def test_in_doubles_a_step_down_is_no_more_than_the_rounding(name: str) -> None:
    for place in (*PLACES, math.nextafter(20.0, 21)):
        x = run(place, torch.float64, 400)
        y = get(name).f(x)
        allowed = 2 * torch.finfo(torch.float64).eps * y[:-1].abs() + 1e-307
        if name == "snake":
            allowed = allowed + torch.finfo(torch.float64).eps  # of the terms that cancel
        assert bool((y[1:] - y[:-1] >= -allowed).all()), place


def forms(x: Tensor) -> list[Tensor]:
    """The same numbers shifted in memory, with gaps, backwards, in columns, and one by one."""
    shifted = [torch.cat([torch.zeros(k, dtype=x.dtype), x])[k:] for k in (1, 2, 3, 5, 7)]
    gaps = [torch.stack([x] * k, 1)[:, 0] for k in (2, 3)]
    return [*shifted, *gaps, x.reshape(-1, 8).t().contiguous().t().reshape(-1), x.reshape(8, -1).t().reshape(-1)]


def orders(y: Tensor) -> list[Tensor]:
    """What a function must make of each form, given what it makes of ``x``."""
    return [*[y] * 8, y.reshape(8, -1).t().reshape(-1)]


ALONE = {1: 8 * 41, 3: 41, 17: 41}
"""Of how many numbers one is looked at alone, in threes (shorter than a vector), and across vectors."""


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_the_bits_are_the_same_wherever_a_number_lies(name: str) -> None:
    spread = torch.cat([torch.linspace(-30, 30, 3001), torch.logspace(-30, 4, 3000), -torch.logspace(-30, 4, 2999)])
    for dtype, method in itertools.product((torch.float64, torch.float32, *HALVES), ("f", "df", "d2f")):
        x, function = spread.to(dtype), getattr(entry(name), method)
        expected = function(x)
        for number, (form, wanted) in enumerate(zip(forms(x), orders(expected), strict=True)):
            assert torch.equal(function(form), wanted), (dtype, method, number)
        if method == "d2f":
            continue
        # half precision is computed as single is, and rounded to fewer bits
        for length, step in ALONE.items():
            step *= 4 if dtype in HALVES else 1
            parts = [function(part) for part in x[::step].split(length)]
            assert torch.equal(torch.cat(parts), expected[::step]), (dtype, method, length)


@pytest.mark.parametrize("name", ["gelu", "mish", "softplus", "sin", "asinh", "phish"])
def test_the_number_of_threads_changes_no_bit(name: str) -> None:
    act, x, before = get(name), torch.linspace(-12, 12, 100_003), torch.get_num_threads()
    found = {}
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found[threads] = act.f(x), act.df(x)
    finally:
        torch.set_num_threads(before)
    for threads in (2, 3):
        assert all(torch.equal(one, other) for one, other in zip(found[1], found[threads], strict=True))


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_infinities_and_nan_in_every_type(name: str) -> None:
    act = entry(name)
    for dtype in (torch.float64, torch.float32, *HALVES):
        ends = torch.tensor([-math.inf, math.inf, math.nan], dtype=dtype)
        value = act.f(ends)
        for limit, y in zip(act.sheet.limits, value.tolist(), strict=False):
            assert math.isnan(y) if limit is None else y == pytest.approx(limit, rel=torch.finfo(dtype).eps)
        assert all(bool(method(ends)[2].isnan()) for method in (act.f, act.df, act.d2f))
