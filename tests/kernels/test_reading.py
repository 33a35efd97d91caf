"""All that C needs to enter tensors of one form into the account of a site, in the fewest calls."""

import ctypes
import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from limen.kernels import CompiledAccount, Reading, Row, Rules, reading_of
from limen.kernels.compiled_account import ROWS, SCRATCH
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library

UNITS = 21
RULES = Rules(UNITS, 0.0, 6.0, dead_left=True, dead_samples=100, dead_steps=4, saturated=0.95)
FORMS = {
    "rows": (lambda: 3 * torch.randn(40, UNITS), -1),
    "channels": (lambda: 3 * torch.randn(4, UNITS, 3, 5), 1),
    "channels last": (lambda: 3 * torch.randn(4, UNITS, 3, 5).contiguous(memory_format=torch.channels_last), 1),
    "every second row": (lambda: torch.randn(40, UNITS)[::2], -1),
    "half": (lambda: 3 * torch.randn(40, UNITS).bfloat16(), -1),
}


@pytest.fixture
def kernels(library: Library | None) -> CompiledPass:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    return CompiledPass(library)


ADD = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3, ctypes.c_int, ctypes.c_void_p)
ADD_GRADIENT = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int
)


def reading(account: CompiledAccount, z: Tensor, axis: int) -> Reading:
    found = reading_of(account, z, axis)
    assert found is not None
    return found


def add(way: Reading, z: Tensor) -> None:
    assert not ADD(way.add)(way.account, way.layout, z.data_ptr(), 1, SCRATCH.room_for(way.room // ROWS))


def add_gradient(way: Reading, z: Tensor) -> None:
    assert not ADD_GRADIENT(way.add_gradient)(way.account, way.entries, way.kind, z.data_ptr(), 1)


@pytest.mark.parametrize("form", FORMS)
def test_it_enters_what_the_account_enters(form: str, kernels: CompiledPass) -> None:
    torch.manual_seed(0)
    draw, axis = FORMS[form]
    short, long = CompiledAccount(RULES, kernels), CompiledAccount(RULES, kernels)
    way = reading(short, draw(), axis)
    for number in range(1, 9):
        for z in (draw(), draw()):
            add(way, z)
            long.add(z, axis)
            short.add_gradient(number)
            long.add_gradient(number)
        row: Row | None = short.commit(number)
        assert row is not None
        assert row == long.commit(number)
    for name in ("left", "right", "mean", "m2", "low", "high"):
        assert np.array_equal(getattr(short.window, name), getattr(long.window, name))


def gradient_of(account: CompiledAccount) -> float:
    """What the step closes with."""
    account.add(torch.randn(3, UNITS), -1)
    row = account.commit(1)
    assert row is not None
    return row.gradient


@pytest.mark.parametrize("form", [form for form in FORMS if form != "every second row"])
def test_the_norm_of_all_gradients_is_that_of_float64(form: str, kernels: CompiledPass) -> None:
    draw, axis = FORMS[form]
    account = CompiledAccount(RULES, kernels)
    way = reading(account, draw(), axis)
    gradients = [draw(), draw(), draw()]
    for last in (1, 2, 3):
        for gradient in gradients[:last]:
            add_gradient(way, gradient)
        whole = torch.cat([gradient.double().flatten() for gradient in gradients[:last]])
        assert gradient_of(account) == pytest.approx(float(whole.norm()), rel=1e-14)  # double sums of some hundred
    assert math.isnan(gradient_of(account))


def test_norms_add_up_to_the_same_bits_wherever_they_were_taken(kernels: CompiledPass) -> None:
    torch.manual_seed(0)
    short, long = CompiledAccount(RULES, kernels), CompiledAccount(RULES, kernels)
    way = reading(short, torch.randn(40, UNITS), -1)
    for _ in range(100):
        for gradient in torch.randn(3, 40, UNITS):
            add_gradient(way, gradient)
            long.add_gradient(kernels.norm(gradient))
        assert gradient_of(short) == gradient_of(long)


SIZES = [0.0, 3.0, 1e-200, 1e300, math.inf, math.nan]


@pytest.mark.parametrize("sizes", list(itertools.product(SIZES, SIZES)), ids=str)
def test_norms_of_every_size_enter_as_those_that_were_taken_elsewhere(
    sizes: tuple[float, float], kernels: CompiledPass
) -> None:
    account, draw = CompiledAccount(RULES, kernels), torch.zeros(1, UNITS, dtype=torch.float64)
    way = reading(account, draw, -1)
    for size in sizes:
        draw[0, 0] = size
        add_gradient(way, draw)
    assert gradient_of(account) == pytest.approx(math.hypot(*sizes), rel=1e-14, nan_ok=True)
    for size in sizes:
        account.add_gradient(size)
    assert gradient_of(account) == pytest.approx(math.hypot(*sizes), rel=1e-14, nan_ok=True)


def test_what_does_not_lie_in_one_piece_has_its_norm_taken_elsewhere(kernels: CompiledPass) -> None:
    draw, axis = FORMS["every second row"]
    assert reading(CompiledAccount(RULES, kernels), draw(), axis).add_gradient == 0
