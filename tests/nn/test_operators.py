"""The operators in the hands of torch: compiler, exporter, transforms, autocast, layouts, tensors without data."""

import copy
from collections.abc import Callable

import pytest
import torch
import torch.utils.checkpoint
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from limen import nn as twins
from limen.activations import Activation, get
from limen.nn.entries import call_of
from limen.nn.operators import activate, activate_backward
from tests.nn.family import EXACT, SMALL, applied, by_torch, every, module_of, slope_by

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch about itself

SOME = ["relu", "gelu", "elu", "snake"]
"""Kept by output and by input, with and without parameters, compiled and not."""

some = pytest.mark.parametrize("name", SOME)


@applied
def test_torch_finds_nothing_wrong_with_the_operators(entry: Activation) -> None:
    x = SMALL.double().requires_grad_()
    grad = torch.ones_like(x).requires_grad_()
    checks = ["test_schema", "test_faketensor", "test_autograd_registration"]
    if entry.name in SOME:
        checks.append("test_aot_dispatch_dynamic")
    call = (*call_of(entry), True)
    torch.library.opcheck(activate, (x, *call), test_utils=checks)
    torch.library.opcheck(activate_backward, (grad, x, *call), test_utils=checks)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@some
def test_nor_with_kernels_and_other_layouts(name: str, dtype: torch.dtype) -> None:
    checks = ("test_schema", "test_faketensor", "test_autograd_registration")
    for x in layouts(dtype):
        for exact in (True, False):
            torch.library.opcheck(activate, (x, *call_of(get(name)), exact), test_utils=checks)
            grad = torch.ones((), dtype=dtype).expand(x.shape)
            torch.library.opcheck(activate_backward, (grad, x, *call_of(get(name)), exact), test_utils=checks)


# --- compiler and exporter -------------------------------------------------------------------------------------


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Linear(3, 4), twins.GELU(), nn.Linear(4, 4), twins.Snake(0.5), twins.ReLU(inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def gradients(network: Callable[[Tensor], Tensor], weights: nn.Module) -> list[Tensor]:
    loss = network(SMALL).square().mean()
    return [loss.detach(), *torch.autograd.grad(loss, list(weights.parameters()))]


def test_a_compiled_network_learns_as_it_does_uncompiled() -> None:
    network = Network()
    torch.compiler.reset()
    compiled = torch.compile(network, fullgraph=True)
    for found, wanted in zip(gradients(compiled, network), gradients(network, network), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["leaky_relu", "squareplus"])
def test_a_parameter_may_change_between_calls_of_compiled_code(name: str) -> None:
    module = module_of(get(name))
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    parameter = {"leaky_relu": "negative_slope", "squareplus": "b"}[name]
    for value in (0.25, 0.5, 3.0):
        setattr(module, parameter, value)
        assert torch.equal(compiled(SMALL), module(SMALL))
        assert torch.equal(slope_by(compiled, SMALL), slope_by(module, SMALL))


def test_an_exported_network_computes_the_same_and_applies_the_operator() -> None:
    network = Network()
    program = torch.export.export(network, (SMALL,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    assert "limen.activate.default" in str(program.graph)
    more = torch.cat([SMALL, SMALL.flip(0) / 2, SMALL])
    torch.testing.assert_close(program.module()(more), network(more))


def test_a_traced_network_computes_the_same() -> None:
    network = Network()
    for traced in (torch.fx.symbolic_trace(network), torch.jit.trace(network, SMALL)):
        torch.testing.assert_close(traced(SMALL), network(SMALL))
    made = make_fx(network)(SMALL)
    torch.testing.assert_close(made(SMALL), network(SMALL))


def test_the_learning_of_a_recomputed_network_is_the_same() -> None:
    network = Network()

    def recomputed(x: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(network, x, use_reentrant=False)

    for found, wanted in zip(gradients(recomputed, network), gradients(network, network), strict=True):
        assert torch.equal(found, wanted)


# --- transforms ------------------------------------------------------------------------------------------------


@every
def test_a_batch_of_calls_is_one_call(entry: Activation) -> None:
    module = module_of(entry)
    for axis in (0, 1):
        assert torch.equal(torch.vmap(module, in_dims=axis, out_dims=axis)(SMALL), module(SMALL))
    grads = torch.linspace(1, 2, 4)
    y, pull = torch.func.vjp(module, SMALL)
    assert torch.equal(y, module(SMALL))
    for row, grad in zip(torch.vmap(lambda grad: pull(grad.expand_as(SMALL))[0])(grads), grads, strict=True):
        torch.testing.assert_close(row, grad * slope_by(module, SMALL))


@every
@EXACT
@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")  # of torch about its logsigmoid
def test_functional_derivatives_are_the_slope_and_the_curvature(entry: Activation, exact: bool) -> None:
    module, x = module_of(entry, exact=exact).double(), SMALL.double().flatten()
    slope, curvature = entry.df(x), entry.d2f(x)

    def same(found: Tensor, wanted: Tensor) -> None:
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-15)

    same(torch.vmap(torch.func.grad(module))(x), slope)
    same(torch.func.jvp(module, (x,), (torch.ones_like(x),))[1], slope)
    if entry.name != "prelu":  # torch's own has no rule for this
        same(torch.func.jacfwd(torch.func.jacrev(module))(x).sum((1, 2)), curvature)
        same(torch.vmap(torch.func.hessian(module))(x), curvature)


@some
@pytest.mark.parametrize("inner", [torch.func.jacrev, torch.func.jacfwd], ids=["reverse", "forward"])
@pytest.mark.parametrize("outer", [torch.func.jacrev, torch.func.jacfwd], ids=["reverse", "forward"])
def test_a_transform_within_another_hides_nothing_from_it(
    name: str, inner: Callable[..., Callable[..., Tensor]], outer: Callable[..., Callable[..., Tensor]]
) -> None:
    module, x = module_of(get(name)).double(), SMALL.double().flatten()
    entry = get(name)

    def energy(x: Tensor) -> Tensor:  # whose slope has the value in it
        return module(x).square().sum()

    curvature = 2 * (entry.df(x).square() + entry.f(x) * entry.d2f(x))
    torch.testing.assert_close(outer(inner(energy))(x), curvature.diag(), rtol=1e-12, atol=1e-15)


def test_a_transform_does_not_differentiate_what_is_without_gradients() -> None:
    def held(x: Tensor) -> Tensor:
        with torch.no_grad():
            y = twins.functional.tanh(x)
        return (x * y).sum()

    x = torch.tensor([0.5, -1.0], dtype=torch.float64)
    torch.testing.assert_close(torch.func.grad(held)(x), x.tanh())
    torch.testing.assert_close(torch.func.jacrev(torch.func.grad(held))(x), torch.zeros(2, 2, dtype=torch.float64))


def test_gradients_of_each_sample() -> None:
    network = Network()
    weights = dict(network.named_parameters())

    def loss(weights: dict[str, Tensor], sample: Tensor) -> Tensor:
        return torch.func.functional_call(plain, weights, (sample[None],)).square().mean()

    plain = copy.deepcopy(network)
    plain.layers[4].inplace = False
    found = torch.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, SMALL)
    for row in range(len(SMALL)):
        alone = torch.autograd.grad(network(SMALL[row, None]).square().mean(), list(network.parameters()))
        for one, wanted in zip(found.values(), alone, strict=True):
            torch.testing.assert_close(one[row], wanted, rtol=1e-5, atol=1e-7)


# --- tensors ---------------------------------------------------------------------------------------------------


def layouts(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Dense ones in several orders, with gaps, with numbers that stand for many, overlapping, empty, a single one."""
    torch.manual_seed(1)
    image = torch.randn(2, 4, 3, 3).to(dtype)
    return [
        image.to(memory_format=torch.channels_last), image.permute(2, 0, 3, 1), image[:, ::2], image[..., 1:],
        image[:1].expand(5, 4, 3, 3), image[:, :1, 0].expand(2, 4, 3).transpose(1, 2), image.flatten().unfold(0, 4, 2),
        torch.empty(0, 3, dtype=dtype), torch.tensor(0.7, dtype=dtype),
    ]  # fmt: skip


@applied
def test_any_layout_gives_the_same_and_dense_ones_are_kept(entry: Activation) -> None:
    module = module_of(entry)
    for x in layouts():
        plain = x.contiguous()
        native = by_torch(entry, x)  # rounds otherwise in other places, and its logsigmoid has an order of its own
        places = {"rtol": 1e-5, "atol": 1e-6} if native else {"rtol": 0.0, "atol": 0.0}
        torch.testing.assert_close(module(x), module(plain), **places)
        torch.testing.assert_close(slope_by(module, x), slope_by(module, plain), **places)
        assert native or module(x).stride() == torch.empty_like(x).stride()


@every
def test_tensors_without_data_have_their_shapes(entry: Activation) -> None:
    x = torch.empty(2, 3, 4, 4, device="meta").to(memory_format=torch.channels_last).requires_grad_()
    y = module_of(entry).to("meta")(x)
    y.sum().backward()
    assert y.is_meta
    assert x.grad is not None
    assert (y.shape, y.stride(), x.grad.shape) == (x.shape, x.stride(), x.shape)


@applied  # but torch's prelu
def test_autocast_keeps_the_type_that_is_given(entry: Activation) -> None:
    module = module_of(entry)
    for dtype in (torch.float32, torch.bfloat16):
        x = SMALL.clone().to(dtype).requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = module.to(dtype)(x)
        y.sum().backward()
        assert y.dtype == dtype
        assert x.grad is not None
        assert x.grad.dtype == dtype


def test_a_subclass_of_tensors_keeps_its_class() -> None:
    class Named(Tensor):
        pass

    y = twins.GELU()(SMALL.as_subclass(Named))
    assert type(y) is Named
    assert torch.equal(y.as_subclass(Tensor), twins.GELU()(SMALL))
