"""Heads as layers: values, gradients of both orders, and what they refuse."""

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from limen.activations import get
from limen.errors import InvalidValue, WrongType
from limen.nn import Activate, Entmax, Exp, GumbelSoftmax, LogSoftmax, Softmax, Softmin, Sparsemax, of_entry

KINDS = {
    "Softmax": lambda **how: Softmax(**how),
    "Softmax-hot": lambda **how: Softmax(temperature=3.0, **how),
    "Softmin": lambda **how: Softmin(**how),
    "LogSoftmax": lambda **how: LogSoftmax(**how),
    "Sparsemax": lambda **how: Sparsemax(**how),
    "Entmax": lambda **how: Entmax(**how),
    "Entmax-1.25": lambda **how: Entmax(alpha=1.25, **how),
}
every = pytest.mark.parametrize("kind", KINDS)
modes = pytest.mark.parametrize("exact", [False, True], ids=["fast", "exact"])
DRAW = torch.Generator().manual_seed(6)


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (2 * torch.randn(shape, generator=DRAW, dtype=torch.float64)).to(dtype)


@every
@modes
def test_value_and_gradient_are_those_of_the_entry(kind: str, exact: bool) -> None:
    head = KINDS[kind](exact=exact)
    x = drawn(60, 7).requires_grad_()
    grad = drawn(60, 7)
    y = head(x)
    (found,) = torch.autograd.grad(y, x, grad)
    wide = x.detach().double()
    # sums and exponentials of single precision where fast, on numbers of up to ten
    tolerance = {"rtol": 2.0**-23, "atol": 1e-15} if exact else {"rtol": 2e-5, "atol": 2e-6}
    torch.testing.assert_close(y.double(), head.entry.f(wide), **tolerance)
    torch.testing.assert_close(found.double(), head.entry.vjp(wide, grad.double()), **tolerance)


@every
@modes
def test_gradients_of_both_orders_are_those_of_differences(kind: str, exact: bool) -> None:
    head = KINDS[kind](exact=exact)
    x = torch.tensor([[0.3, -0.2, 0.75, -1.6], [0.0, 0.4, -0.35, 0.11]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, (x,))
    assert torch.autograd.gradgradcheck(head, (x,))


@modes
def test_gradients_of_a_cross_entropy_add_up_to_zero_and_are_not_lost(exact: bool) -> None:
    x = torch.tensor([[0.0, -17.0], [0.0, -30.0], [2.0, 2.5]], requires_grad=True)
    loss = nn.NLLLoss(reduction="sum")(LogSoftmax(exact=exact)(x), torch.tensor([0, 0, 1]))
    (grad,) = torch.autograd.grad(loss, x)
    assert (grad.sum(-1) == 0).all()
    assert grad[:, 1].tolist() == pytest.approx(
        [1 / (1 + math.exp(17)), 1 / (1 + math.exp(30)), -1 / (1 + math.exp(0.5))], rel=1e-5
    )


@modes
def test_a_row_of_attention_that_is_masked_throughout_is_zero_and_passes_nothing(exact: bool) -> None:
    scores = torch.tensor([[0.5, 1.0], [0.2, 0.1]], requires_grad=True)
    masked = scores.masked_fill(torch.tensor([[False, False], [True, True]]), -math.inf)
    y = Softmax(exact=exact)(masked)
    (grad,) = torch.autograd.grad((y * torch.tensor([1.0, 2.0])).sum(), scores)
    assert y[1].tolist() == grad[1].tolist() == [0.0, 0.0]
    assert bool((grad[0] != 0).all())


@every
@modes
def test_infinities_give_no_nan(kind: str, exact: bool) -> None:
    x = torch.tensor([[math.inf, 0.0, -1.0], [3e38, -3e38, 0.0], [-math.inf] * 3, [math.inf] * 3])
    y = KINDS[kind](exact=exact)(x)
    assert not y.isnan().any()
    assert KINDS[kind](exact=exact)(torch.tensor([math.nan, 1.0])).isnan().all()


@every
@modes
def test_axes_types_and_empty_tensors(kind: str, exact: bool) -> None:
    x = drawn(3, 4, 5)
    head, last = KINDS[kind](dim=1, exact=exact), KINDS[kind](exact=exact)
    torch.testing.assert_close(head(x), last(x.transpose(1, 2)).transpose(1, 2))
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        found = last(x.to(dtype))
        assert found.dtype == dtype
        # one rounding to the type, after one of the inputs
        torch.testing.assert_close(found.double(), last(x.to(dtype).double()), rtol=torch.finfo(dtype).eps, atol=1e-7)
    for shape in ((0, 4), (4, 0)):
        empty = torch.zeros(shape, requires_grad=True)
        last(empty).sum().backward()
        assert empty.grad is not None
        assert empty.grad.shape == shape


@modes
def test_half_precision_keeps_its_gradients_in_single(exact: bool) -> None:
    x = torch.tensor([0.0, -9.0], dtype=torch.bfloat16, requires_grad=True)
    (grad,) = torch.autograd.grad(LogSoftmax(exact=exact)(x)[0], x)
    assert grad.dtype == torch.bfloat16
    assert grad.float().tolist() == pytest.approx([math.exp(-9), -math.exp(-9)], rel=2**-7)


@every
def test_a_backward_pass_keeps_the_output_or_where_exact_the_input(kind: str) -> None:
    for exact in (False, True):
        x, seen = drawn(8, 6).requires_grad_(), set()

        def pack(saved: Tensor, seen: set[int] = seen) -> Tensor:
            seen.add(saved.data_ptr())
            return saved

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
            y = KINDS[kind](exact=exact)(x)
        assert seen == {(x if exact else y).data_ptr()}


@every
@modes
def test_over_a_batch_of_calls_it_is_the_same(kind: str, exact: bool) -> None:
    head, x = KINDS[kind](exact=exact), drawn(4, 6)

    def total(row: Tensor) -> Tensor:
        return head(row).square().sum()

    torch.testing.assert_close(torch.func.vmap(head)(x), head(x))
    rows = torch.stack([torch.func.grad(total)(row) for row in x])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(total))(x), rows)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch about itself
@modes
def test_it_compiles_as_one_graph(exact: bool) -> None:
    head, x = LogSoftmax(exact=exact), drawn(8, 6).requires_grad_()
    y, grad = torch.compile(head, fullgraph=True, backend="aot_eager" if exact else "inductor")(x), drawn(8, 6)
    torch.testing.assert_close(y, head(x), rtol=1e-6, atol=1e-6)
    for one, other in zip(torch.autograd.grad(y, x, grad), torch.autograd.grad(head(x), x, grad), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@every
def test_modules_survive_copying_and_pickling(kind: str) -> None:
    head, x = KINDS[kind](), drawn(3, 4)
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert torch.equal(twin(x), head(x))
        assert repr(twin) == repr(head)


def test_what_is_shown_is_how_it_was_made() -> None:
    assert repr(Softmax(1, temperature=0.5, exact=True)) == "Softmax(dim=1, temperature=0.5, exact=True)"
    assert repr(Entmax()) == "Entmax(dim=-1, alpha=1.5)"
    assert repr(GumbelSoftmax(hard=True)) == "GumbelSoftmax(dim=-1, temperature=1.0, hard=True)"


# --- those with no formula of one axis -------------------------------------------------------------------------


def test_exp_is_its_own_gradient() -> None:
    x = drawn(10).requires_grad_()
    (grad,) = torch.autograd.grad(Exp()(x).sum(), x)
    torch.testing.assert_close(grad, x.exp())
    assert torch.equal(Exp()(x), Exp().entry.f(x)) or torch.allclose(Exp()(x), Exp().entry.f(x), rtol=2.0**-22)


def test_gumbel_softmax_draws_what_torch_draws() -> None:
    x = drawn(50, 4)
    torch.manual_seed(3)
    ours = nn.functional.gumbel_softmax(x, tau=0.5, hard=True)
    torch.manual_seed(3)
    assert torch.equal(GumbelSoftmax(temperature=0.5, hard=True)(x), ours)


def test_a_choice_has_the_gradient_of_its_soft_sample() -> None:
    x, grads = drawn(20, 4).requires_grad_(), []
    for hard in (True, False):
        y = GumbelSoftmax(hard=hard, generator=torch.Generator().manual_seed(8))(x)
        grads.append(torch.autograd.grad((y * drawn(1, 4).mul(0).add(torch.arange(4.0))).sum(), x)[0])
    assert torch.equal(*grads)
    assert bool((grads[0] != 0).any())


# --- what they refuse ------------------------------------------------------------------------------------------


@every
def test_tensors_without_the_axis_or_of_integers_are_refused(kind: str) -> None:
    name = kind.partition("-")[0]
    with pytest.raises(InvalidValue, match=rf"{name}\(dim=2\): found a tensor of shape \[2, 3\], without that axis"):
        KINDS[kind](dim=2)(torch.zeros(2, 3))
    with pytest.raises(
        WrongType, match=rf"{name}\(input of torch\.int64\): expected a tensor of floating-point numbers"
    ):
        KINDS[kind]()(torch.zeros(2, 3).long())


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"softmax\(temperature=0\.0\): expected a finite number > 0\."):
        Softmax(temperature=0.0)
    with pytest.raises(InvalidValue, match=r"entmax\(alpha=0\.9\): expected a finite number >= 1\."):
        Entmax(alpha=0.9)


def test_they_are_no_elementwise_functions() -> None:
    with pytest.raises(
        InvalidValue, match=r"Softmax\(temperature=1\.0\) is no entry of the catalogue that limen\.nn can"
    ):
        Activate("softmax")
    with pytest.raises(InvalidValue, match=r"are made by their own names, such as limen\.nn\.SwiGLU\(\)"):
        of_entry(get("glu", kind="gated"))  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"softmax is a function of a whole axis"):
        torch.ops.limen.activate(torch.zeros(3), "softmax", (), False)
