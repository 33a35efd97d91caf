"""Gated units as layers: values, gradients of both orders, what is kept, and what they refuse."""

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

import limen
from limen.activations import get
from limen.errors import InvalidValue, WrongType
from limen.nn import GEGLU, GLU, BilinearGLU, ReGLU, SwiGLU
from tests.nn.family import needs_ours

KINDS = {
    "GLU": lambda **how: GLU(**how),
    "BilinearGLU": lambda **how: BilinearGLU(**how),
    "ReGLU": lambda **how: ReGLU(**how),
    "GEGLU": lambda **how: GEGLU(**how),
    "GEGLU-tanh": lambda **how: GEGLU(approximate="tanh", **how),
    "SwiGLU": lambda **how: SwiGLU(**how),
    "SwiGLU-2": lambda **how: SwiGLU(beta=2.0, **how),
}
every = pytest.mark.parametrize("kind", KINDS)
modes = pytest.mark.parametrize("exact", [False, True], ids=["fast", "exact"])
DRAW = torch.Generator().manual_seed(4)


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (3 * torch.randn(shape, generator=DRAW, dtype=torch.float64)).to(dtype)


@every
@modes
def test_value_and_gradient_are_those_of_the_entry(kind: str, exact: bool) -> None:
    unit = KINDS[kind](exact=exact)
    needs_ours(unit.entry.gate, torch.empty(0), exact=exact)
    x = drawn(40, 6).requires_grad_()
    a, b = x.detach().double().chunk(2, -1)
    grad = drawn(40, 3)
    y = unit(x)
    (found,) = torch.autograd.grad(y, x, grad)
    # half a unit of the gate (four where fast), of the product, and of the product with the gradient
    places = 0.5 if exact else 4.0
    torch.testing.assert_close(y.double(), unit.entry.f(a, b), rtol=(places + 0.5) * 2.0**-23, atol=1e-37)
    slopes = torch.cat([grad.double() * slope for slope in unit.entry.df(a, b)], -1)
    # near the root of a gate's slope fast kernels are off by its largest term
    least = 0.0 if exact else 4 * 2.0**-24 * float((a * grad).abs().max())
    torch.testing.assert_close(found.double(), slopes, rtol=(places + 1.0) * 2.0**-23, atol=1e-37 + least)


@every
@modes
def test_gradients_of_both_orders_are_those_of_differences(kind: str, exact: bool) -> None:
    unit = KINDS[kind](exact=exact)
    x = (drawn(3, 4, dtype=torch.float64) + 0.01).requires_grad_()
    assert torch.autograd.gradcheck(unit, (x,))
    assert torch.autograd.gradgradcheck(unit, (x,))


@modes
def test_a_gate_that_is_wide_open_still_learns(exact: bool) -> None:
    x = torch.tensor([3.0, 20.0], requires_grad=True)
    needs_ours(get("sigmoid"), x, exact=exact)
    (slope,) = torch.autograd.grad(GLU(exact=exact)(x).sum(), x)
    assert float(slope[1]) == pytest.approx(3 * math.exp(-20), rel=1e-6)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_glu_is_that_of_torch_on_any_axis(dim: int) -> None:
    x = drawn(4, 6, 2)
    torch.testing.assert_close(GLU(dim)(x), nn.GLU(dim)(x), rtol=1e-6, atol=1e-7)


@every
@modes
def test_the_gate_may_be_the_first_half(kind: str, exact: bool) -> None:
    x = drawn(5, 6)
    turned = torch.cat(x.chunk(2, -1)[::-1], -1)
    assert torch.equal(KINDS[kind](gate_last=False, exact=exact)(turned), KINDS[kind](exact=exact)(x))


@every
@modes
def test_layouts_and_types_are_taken_as_they_come(kind: str, exact: bool) -> None:
    unit = KINDS[kind](exact=exact)
    x = drawn(4, 6, 3)
    strided = x.transpose(0, 2).contiguous().transpose(0, 2)
    unit.dim = 1
    torch.testing.assert_close(unit(strided), unit(x), rtol=1e-6, atol=1e-6)
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        assert unit(x.to(dtype)).dtype == dtype
    assert unit(torch.zeros(0, 6)).shape == (0, 3)
    assert unit(torch.zeros(5, 6, device="meta")).shape == (5, 3)


@every
def test_nothing_is_kept_but_the_halves_of_the_input_and_the_gate(kind: str) -> None:
    x, seen = drawn(8, 6).requires_grad_(), {}

    def pack(saved: Tensor) -> Tensor:
        seen[saved.untyped_storage().data_ptr()] = saved.numel()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        KINDS[kind]()(x)
    del seen[x.untyped_storage().data_ptr()]
    assert sum(seen.values()) <= 2 * 8 * 3  # a scaled gate is kept before and after it is scaled back


@every
@modes
def test_over_a_batch_of_calls_it_is_the_same(kind: str, exact: bool) -> None:
    unit, x = KINDS[kind](exact=exact), drawn(4, 6)

    def total(row: Tensor) -> Tensor:
        return unit(row).square().sum()

    torch.testing.assert_close(torch.func.vmap(unit)(x), unit(x))
    rows = torch.stack([torch.func.grad(total)(row) for row in x])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(total))(x), rows)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch about itself
@modes
def test_it_compiles_as_one_graph(exact: bool) -> None:
    unit, x = SwiGLU(exact=exact), drawn(8, 6).requires_grad_()
    y = torch.compile(unit, fullgraph=True, backend="aot_eager" if exact else "inductor")(x)
    grad = drawn(8, 3)
    torch.testing.assert_close(y, unit(x), rtol=1e-6, atol=1e-6)
    for one, other in zip(torch.autograd.grad(y, x, grad), torch.autograd.grad(unit(x), x, grad), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@every
def test_modules_survive_copying_and_pickling_and_have_no_weights(kind: str) -> None:
    unit, x = KINDS[kind](gate_last=False), drawn(3, 4)
    assert not unit.state_dict()
    for twin in (copy.deepcopy(unit), pickle.loads(pickle.dumps(unit))):
        assert torch.equal(twin(x), unit(x))
        assert repr(twin) == repr(unit)


def test_what_is_shown_is_how_it_was_made() -> None:
    assert repr(SwiGLU(1, beta=2.0, gate_last=False)) == "SwiGLU(dim=1, beta=2.0, gate_last=False)"
    assert repr(GEGLU(exact=True)) == "GEGLU(dim=-1, approximate='none', exact=True)"
    assert repr(GLU()) == "GLU(dim=-1)"


def test_a_watch_sees_the_gate() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 12), SwiGLU(), nn.Linear(6, 1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    with limen.watch(model, optimiser, budget=None) as seen:
        for _ in range(3):
            optimiser.zero_grad()
            model(drawn(16, 4)).square().mean().backward()
            optimiser.step()
    assert [site.site.function for site in seen.vitals.sites] == ["silu"]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(
        InvalidValue, match=r"SwiGLU\(dim=-1\): found an axis of odd size 7, in a tensor of shape \[2, 7\]"
    ):
        SwiGLU()(torch.zeros(2, 7))
    with pytest.raises(InvalidValue, match=r"GLU\(dim=2\): found a tensor of shape \[2, 6\], without that axis"):
        GLU(2)(torch.zeros(2, 6))
    with pytest.raises(WrongType, match=r"ReGLU\(input of torch\.int64\): expected a tensor of floating-point numbers"):
        ReGLU()(torch.zeros(2, 6).long())
    with pytest.raises(WrongType, match=r"ReGLU\(input of list\)"):
        ReGLU()([1.0, 2.0])


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"swiglu\(beta=-1\.0\): expected a finite number > 0\."):
        SwiGLU(beta=-1.0)
    with pytest.raises(InvalidValue, match=r"geglu\(approximate='erf'\): expected 'none' or 'tanh'\."):
        GEGLU(approximate="erf")
