"""Gated units against fifty digits, autograd and torch."""

import copy
import math
import pickle

import mpmath as mp
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.activations import GEGLU, GLU, BilinearGLU, Combination, ReGLU, SwiGLU, names
from limen.errors import InvalidValue, WrongType
from tests.activations.test_rounding import nearest, unit

EVERY = [GLU(), BilinearGLU(), ReGLU(), GEGLU(), GEGLU("tanh"), SwiGLU(), SwiGLU(0.01), SwiGLU(3.0)]
every = pytest.mark.parametrize("entry", EVERY, ids=repr)


def logistic(x: mp.mpf) -> mp.mpf:
    return 1 / (1 + mp.exp(-x))


def cubic(b: mp.mpf) -> mp.mpf:
    return 2 * mp.sqrt(2 / mp.pi) * (b + mp.mpf("0.044715") * b**3)


def gate(entry: Combination, b: mp.mpf) -> mp.mpf:
    """The formulas of Shazeer 2020."""
    match entry:
        case GLU():
            return logistic(b)
        case BilinearGLU():
            return b
        case ReGLU():
            return max(b, mp.mpf(0))
        case GEGLU("tanh"):
            return b * logistic(cubic(b))
        case GEGLU():
            return b * mp.erfc(-b / mp.sqrt(2)) / 2
        case SwiGLU(beta):
            return b * logistic(mp.mpf(beta) * b)
    raise AssertionError(entry)


def slope(entry: Combination, b: mp.mpf) -> mp.mpf:
    return mp.diff(lambda z: gate(entry, z), b, h=(abs(b) or 1) * mp.mpf(10) ** -30)


DRAW = np.random.default_rng(3)
VALUES = np.concatenate([DRAW.normal(0, 3, 60), DRAW.normal(0, 1e-4, 20), DRAW.normal(0, 300, 20)])
GATES = np.concatenate([DRAW.normal(0, 3, 40), DRAW.uniform(-30, 30, 40), DRAW.uniform(-80, 80, 20)])
"""What is let through, and what opens."""


def pairs(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(VALUES).to(dtype), torch.from_numpy(GATES).to(dtype)


def truths(entry: Combination, a: Tensor, b: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value and both slopes as the nearest doubles."""
    with mp.workdps(120):
        both = [(mp.mpf(x), mp.mpf(z)) for x, z in zip(a.double().tolist(), b.double().tolist(), strict=True)]
        value = [float(x * gate(entry, z)) for x, z in both]
        to_value = [float(gate(entry, z)) for _, z in both]
        to_gate = [float(x * slope(entry, z)) for x, z in both]
    return np.array(value), np.array(to_value), np.array(to_gate)


def test_every_gated_unit_of_the_catalogue_is_looked_at() -> None:
    assert {entry.name for entry in EVERY} == set(names(kind="gated")) - {"maxout"}  # which has no gate


@every
def test_in_single_precision_value_and_slopes_are_within_half_a_unit_of_the_last_place(entry: Combination) -> None:
    a, b = pairs(torch.float32)
    for found, truth in zip((entry.f(a, b), *entry.df(a, b)), truths(entry, a, b), strict=True):
        off = np.abs(found.double().numpy() - truth) / unit(truth, torch.float32)
        assert off.max() <= 0.5 * (1 + 1e-6)


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_rounded_correctly(entry: Combination, dtype: torch.dtype) -> None:
    a, b = pairs(dtype)
    for found, truth in zip((entry.f(a, b), *entry.df(a, b)), truths(entry, a, b), strict=True):
        np.testing.assert_array_equal(found.double().numpy(), nearest(truth, dtype))


@every
def test_in_double_precision_ten_digits_are_lost_nowhere(entry: Combination) -> None:
    a, b = pairs(torch.float64)
    for found, truth in zip((entry.f(a, b), *entry.df(a, b)), truths(entry, a, b), strict=True):
        # near the root of a gate's slope the largest term of a sum decides, not the sum
        np.testing.assert_allclose(found.numpy(), truth, rtol=1e-13, atol=1e-16 * np.abs(VALUES).max())


@every
def test_slopes_are_those_of_autograd(entry: Combination) -> None:
    a, b = (x.requires_grad_() for x in pairs(torch.float64))
    slopes = torch.autograd.grad(entry.f(a, b).sum(), (a, b))
    for found, slope in zip(entry.df(a.detach(), b.detach()), slopes, strict=True):
        torch.testing.assert_close(found, slope, rtol=1e-12, atol=1e-12)


def test_glu_learns_where_the_gate_of_torch_has_rounded_to_one() -> None:
    a, b = torch.tensor([3.0]), torch.tensor([20.0])
    assert float(GLU().df(a, b)[1]) == pytest.approx(3 * float(logistic(mp.mpf(20)) * logistic(mp.mpf(-20))), rel=1e-7)
    both = torch.cat([a, b]).requires_grad_()
    nn.functional.glu(both, 0).sum().backward()
    assert both.grad is not None
    assert both.grad[1] == 0  # what torch has, and why this is here


@pytest.mark.parametrize(
    ("entry", "torch_gate"),
    [
        (GLU(), torch.sigmoid),
        (ReGLU(), torch.relu),
        (GEGLU(), nn.functional.gelu),
        (GEGLU("tanh"), lambda b: nn.functional.gelu(b, approximate="tanh")),
        (SwiGLU(), nn.functional.silu),
        (BilinearGLU(), lambda b: b),
    ],
    ids=["glu", "reglu", "geglu", "geglu-tanh", "swiglu", "bilinear"],
)  # fmt: skip
def test_at_ordinary_inputs_it_is_what_is_written_in_torch(entry: Combination, torch_gate) -> None:
    a, b = torch.linspace(-3, 3, 101).double(), torch.linspace(4, -4, 101).double()
    torch.testing.assert_close(entry.f(a, b), a * torch_gate(b), rtol=1e-12, atol=1e-14)


@every
def test_nan_in_either_input_is_nan_in_the_value(entry: Combination) -> None:
    a, b = torch.tensor([math.nan, 1.0, math.nan]), torch.tensor([1.0, math.nan, -1.0])
    assert entry.f(a, b).isnan().all()
    assert entry.df(a, b)[1].isnan().all()
    assert entry.df(a, b)[0].isnan().tolist() == [False, True, False]


@every
def test_a_closed_gate_stays_closed_at_infinity(entry: Combination) -> None:
    if entry != BilinearGLU():
        ends = torch.tensor([-math.inf, math.inf])
        value = entry.f(torch.full((2,), 2.0), ends)
        assert value.tolist() == [0.0, 2.0 if entry == GLU() else math.inf]
        assert not any(slope.isnan().any() for slope in entry.df(torch.full((2,), 2.0), ends))


@every
def test_the_sheet_says_what_scaling_and_exchanging_the_inputs_do(entry: Combination) -> None:
    a, b = pairs(torch.float64)
    degrees = [
        k for k in range(4)
        if all(torch.allclose(entry.f(c * a, c * b), c**k * entry.f(a, b), rtol=1e-12, atol=0) for c in (0.5, 3.0))
    ]  # fmt: skip
    assert degrees == ([] if entry.sheet.homogeneous is None else [entry.sheet.homogeneous])
    assert torch.allclose(entry.f(a, b), entry.f(b, a)) is entry.sheet.symmetric
    jump = (entry.df(a, torch.full_like(a, 1e-9))[1] - entry.df(a, torch.full_like(a, -1e-9))[1]).abs()
    assert bool((jump < 1e-5).all()) is entry.sheet.smooth


def test_what_is_saved_is_both_inputs() -> None:
    assert GLU().sheet.saved_bytes(2, torch.bfloat16) == 4


@every
def test_entries_survive_pickling_and_copying(entry: Combination) -> None:
    for twin in (pickle.loads(pickle.dumps(entry)), copy.deepcopy(entry)):
        assert twin == entry
        assert hash(twin) == hash(entry)


def test_inputs_that_do_not_fit_each_other_are_refused() -> None:
    x = torch.zeros(2, 3)
    with pytest.raises(
        InvalidValue, match=r"swiglu takes 2 tensors of one shape.*found \[2, 3\] torch\.float32 on cpu.*chunk"
    ):
        SwiGLU().f(x)
    with pytest.raises(InvalidValue, match=r"glu takes 2 tensors of one shape"):
        GLU().df(x, x[:1])
    with pytest.raises(InvalidValue, match=r"torch\.float32 on cpu, .* torch\.float64 on cpu"):
        GLU().f(x, x.double())
    with pytest.raises(WrongType, match=r"glu: expected a tensor of floating-point numbers, found one of int64"):
        GLU().f(x.long(), x.long())
