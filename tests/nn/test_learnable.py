"""What is true of every module whose function is learned."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from limen.activations import Activation, get, of_module
from limen.errors import InvalidValue, WrongType
from limen.nn import (
    ACONC,
    APL,
    PAU,
    DynamicTanh,
    KANSpline,
    LinearSpline,
    Maxout,
    RReLU,
    Swish,
    of_entry,
)
from limen.nn.learnable import LEARNABLE

Make = Callable[..., nn.Module]

MAKERS: dict[str, Make] = {
    "swish": Swish,
    "acon_c": ACONC,
    "dynamic_tanh": DynamicTanh,
    "apl": lambda channels=1, **more: APL(3, "gelu", channels, **more),
    "pau": lambda channels=1, **more: PAU("gelu", channels, **more),
    "linear_spline": lambda channels=1, **more: LinearSpline("tanh", channels, **more),
    "kan_spline": lambda channels=1, **more: KANSpline("tanh", channels, low=-2.0, **more),
}
"""From a number of channels to a module that begins as something else than by default."""

every = pytest.mark.parametrize("name", MAKERS)


def moved(module: nn.Module) -> nn.Module:
    """The module after some steps in no particular direction: every number of every channel is another one."""
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    return module


def inputs(*shape: int) -> Tensor:
    """Between -3.1 and 3.1, none of them at a kink of a grid or a hinge that nobody moved."""
    return 6.2 * torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 3.1


# --- the function ----------------------------------------------------------------------------------------------


@every
def test_a_module_computes_its_entry_with_its_slope(name: str) -> None:
    module, x = moved(MAKERS[name](dtype=torch.float64)), inputs(200).requires_grad_()
    entry = of_module(module)
    assert entry is not None
    assert entry.name == name
    y = module(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    # some units in the last place of terms of the order of 1 to 10
    torch.testing.assert_close(y, entry.f(x), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(slope, entry.df(x.detach()), rtol=1e-12, atol=1e-12)


@every
@pytest.mark.parametrize(("shape", "axis"), [((7, 3), 1), ((2, 3, 4, 5), 1), ((2, 4, 3), -1)])
def test_each_channel_has_a_function_of_its_own(name: str, shape: tuple[int, ...], axis: int) -> None:
    module, x = moved(MAKERS[name](3, axis=axis, dtype=torch.float64)), inputs(*shape)
    parts = []
    for channel, part in enumerate(x.unbind(axis)):
        alone = MAKERS[name](dtype=torch.float64)
        shared = dict(module.named_buffers())
        rows = {key: one if len(one) == 1 else one[[channel]] for key, one in module.named_parameters()}
        parts.append(functional_call(alone, rows | shared, (part,)))
    torch.testing.assert_close(module(x), torch.stack(parts, axis), rtol=1e-13, atol=1e-13)


@every
def test_an_entry_holds_the_means_over_the_channels(name: str) -> None:
    module = moved(MAKERS[name](3, dtype=torch.float64))
    alone = MAKERS[name](dtype=torch.float64)
    with torch.no_grad():
        for parameter, many in zip(alone.parameters(), module.parameters(), strict=True):
            parameter.copy_(many.mean(0, keepdim=True))
    assert module.entry == alone.entry


@every
def test_a_module_of_an_entry_begins_as_that_entry(name: str) -> None:
    entry = get(name)
    module = of_entry(entry)
    x = inputs(100).float()
    torch.testing.assert_close(module(x), entry.f(x), rtol=1e-5, atol=1e-6)  # which rounds once
    assert type(of_module(module)) is type(entry)


def test_every_learned_entry_has_a_module() -> None:
    assert {kind.name for kind in LEARNABLE} == {*MAKERS, "rrelu"}


# --- gradients -------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("channels", [1, 2])
def test_gradients_are_right_once_and_twice_in_the_input_and_in_every_parameter(name: str, channels: int) -> None:
    module = moved(MAKERS[name](channels, axis=1, dtype=torch.float64))
    names, rows = zip(*module.named_parameters(), strict=True)
    x = inputs(3, 2)

    def function(x: Tensor, *rows: Tensor) -> Tensor:
        return functional_call(module, dict(zip(names, rows, strict=True)), (x,))

    given = tuple(one.detach().clone().requires_grad_() for one in (x, *rows))
    assert torch.autograd.gradcheck(function, given)
    assert torch.autograd.gradgradcheck(function, given)


@every
def test_nothing_finite_gives_nan_in_value_or_gradients(name: str) -> None:
    module = moved(MAKERS[name](dtype=torch.float64)).float()
    largest = torch.finfo(torch.float32).max
    x = torch.tensor([-largest, -1e30, -1e4, -50.0, -1.0, -0.0, 0.0, 1.0, 50.0, 1e4, 1e30, largest]).requires_grad_()
    assert not module(x).isnan().any()
    slopes = torch.autograd.grad(module(x[2:-2]).sum(), [x, *module.parameters()])  # beyond, x² overflows
    assert all(slope.isfinite().all() for slope in slopes)


@every
def test_nan_stays_nan_and_other_elements_stay_as_they_are(name: str) -> None:
    module = MAKERS[name]()
    y = module(torch.tensor([1.0, math.nan, -1.0]))
    assert y.isnan().tolist() == [False, True, False]
    assert torch.equal(y[[0, 2]], module(torch.tensor([1.0, -1.0])))


# --- types, states, compilers ----------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_the_type_of_the_input_is_kept(name: str, dtype: torch.dtype) -> None:
    module, x = moved(MAKERS[name](2, axis=1, dtype=torch.float64)).float(), inputs(5, 2).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module(x).dtype == dtype
    y = module(x)
    assert y.dtype == dtype
    # a parameter in single precision, and the input's own type
    torch.testing.assert_close(y, module.double()(x.double()).to(dtype), rtol=8 * torch.finfo(dtype).eps, atol=1e-6)
    assert module.to(dtype)(x).dtype == dtype


@every
def test_a_state_makes_a_copy_equal_and_so_do_pickles(name: str) -> None:
    module = moved(MAKERS[name](2, dtype=torch.float64))
    twin = MAKERS[name](2, dtype=torch.float64)
    twin.load_state_dict(module.state_dict())
    x = inputs(4, 2)
    for other in (twin, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(x), module(x))


@every
def test_without_storage_a_module_has_its_first_entry(name: str) -> None:
    module = MAKERS[name](4, device="meta")
    assert module.entry == pytest.approx(module.entry)
    assert type(module.entry) is type(MAKERS[name]().entry)
    axis = getattr(module, "axis")  # noqa: B009 - a module's attributes are tensors to a type checker
    assert module(torch.empty(2, 4, device="meta") if axis == 1 else torch.empty(3, 4, device="meta")).is_meta


@every
def test_with_storage_given_later_it_begins_as_it_was_made(name: str) -> None:
    module = MAKERS[name](3, device="meta").to_empty(device="cpu")
    module.reset_parameters()
    for found, wanted in zip(module.state_dict().values(), MAKERS[name](3).state_dict().values(), strict=True):
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("name", ["pau", "kan_spline"])
def test_compiled_it_is_the_same(name: str) -> None:
    module, x = moved(MAKERS[name](2, dtype=torch.float64)), inputs(6, 2).requires_grad_()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    expected = torch.autograd.grad(module(x).square().sum(), [x, *module.parameters()])
    found = torch.autograd.grad(compiled(x).square().sum(), [x, *module.parameters()])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@every
def test_empty_and_strided_inputs_are_taken_and_keep_their_strides(name: str) -> None:
    module = MAKERS[name](3, axis=1, dtype=torch.float64)
    assert module(torch.empty(0, 3, dtype=torch.float64)).shape == (0, 3)
    x = inputs(2, 4, 4, 3).permute(0, 3, 1, 2)
    torch.testing.assert_close(module(x), module(x.contiguous()), rtol=0, atol=0)
    assert module(x).stride() == x.stride()


@every
def test_functional_transforms_give_the_slope_and_the_curvature(name: str) -> None:
    module, x = moved(MAKERS[name](dtype=torch.float64)), inputs(40)
    entry, slope = module.entry, torch.func.grad(lambda one: module(one))
    torch.testing.assert_close(torch.func.vmap(slope)(x), entry.df(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(slope))(x), entry.d2f(x), rtol=1e-10, atol=1e-10)


# --- bad input -------------------------------------------------------------------------------------------------


@every
def test_a_wrong_number_of_channels_names_both(name: str) -> None:
    module = MAKERS[name](3, axis=1)
    with pytest.raises(InvalidValue, match=r"\(num_parameters=3, axis=1\): an input of shape \[2, 5\] has 5 there"):
        module(torch.zeros(2, 5))
    with pytest.raises(InvalidValue, match=r"num_parameters=3, axis=1\): an input of shape \[3\] has no such axis"):
        module(torch.zeros(3))


@every
@pytest.mark.parametrize("x", [torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.complex64), 1.0])
def test_what_is_no_floating_point_tensor_is_refused(name: str, x: object) -> None:
    with pytest.raises(WrongType, match=rf"{name}\(input of .*expected a tensor of floating-point numbers"):
        MAKERS[name]()(x)


@every
@pytest.mark.parametrize("channels", [0, -1, 2.0, True, None])
def test_what_is_no_number_of_channels_is_refused(name: str, channels: object) -> None:
    with pytest.raises(InvalidValue, match=r"\(num_parameters=.*\): expected a whole number >= 1"):
        MAKERS[name](channels)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Swish(beta=math.nan), r"Swish\(beta=nan\): expected a finite number"),
        (lambda: ACONC(p2=math.inf), r"ACONC\(p2=inf\): expected a finite number"),
        (lambda: DynamicTanh(alpha=math.nan), r"DynamicTanh\(alpha=nan\)"),
        (lambda: RReLU(0.5, 0.1), r"rrelu\(lower=0.5, upper=0.1\): expected lower <= upper"),
        (lambda: RReLU(math.nan), r"rrelu\(lower=nan\): expected a finite number"),
        (lambda: APL(0), r"APL\(hinges=0\): expected a whole number >= 1"),
        (lambda: APL([]), r"APL\(hinges=\[\]\): expected a number of hinges, or their places"),
        (lambda: APL([0.0, math.nan]), r"hinges=.*nan.*: expected a sequence of 1 or more finite numbers"),
        (lambda: PAU("lealy_relu"), r"named 'lealy_relu'. Did you mean 'leaky_relu'"),
        (lambda: PAU(7), r"PAU\(init=7\): expected an elementwise function of limen.activations or its name"),
        (lambda: PAU("swiglu"), r"PAU\(init='swiglu'\): expected an elementwise function"),
        (lambda: LinearSpline(knots=1), r"LinearSpline\(knots=1\): expected a whole number >= 2"),
        (lambda: LinearSpline(low=1.0, high=1.0), r"\(low=1.0, high=1.0\): expected finite numbers with low < high"),
        (lambda: KANSpline(intervals=0), r"KANSpline\(intervals=0\): expected a whole number >= 1"),
        (lambda: KANSpline(low=math.nan), r"KANSpline\(low=nan\): expected a finite number"),
        (lambda: Maxout(3, 2, 1), r"maxout\(pieces=1\): expected a whole number >= 2"),
        (lambda: Maxout(0, 2), r"Maxout\(in_features=0\): expected a whole number >= 1"),
    ],
)
def test_parameters_that_make_no_function_are_refused(make: Make, words: str) -> None:
    with pytest.raises((InvalidValue, KeyError), match=words):
        make()


@every
def test_a_module_whose_numbers_were_lost_has_no_entry(name: str) -> None:
    module = MAKERS[name]()
    with torch.no_grad():
        next(module.parameters()).fill_(math.nan)
    assert of_module(module) is None


# --- learning --------------------------------------------------------------------------------------------------


@every
def test_it_learns_a_function_that_it_is_not(name: str) -> None:
    """Mean square errors at the end and at the beginning, on the same inputs."""
    target = targets()[name]
    module, x = MAKERS[name](dtype=torch.float64), torch.linspace(-3, 3, 256, dtype=torch.float64)
    y = target(x)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.03)
    losses = []
    for _ in range(300):
        loss = (module(x) - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
    assert losses[0] > 1e-3


def targets() -> dict[str, Callable[[Tensor], Tensor]]:
    """What each of them could be, and is not at first."""
    known: dict[str, Activation] = {
        "swish": get("swish", beta=3.0),
        "acon_c": get("acon_c", p1=0.5, p2=-0.75, beta=2.0),
        "dynamic_tanh": get("dynamic_tanh", alpha=1.5, weight=0.5, bias=0.25),
        "apl": get("apl", slopes=(-0.5, 0.5, 0.25), hinges=(0.5, -1.0, 1.5)),
    }
    return {name: entry.f for name, entry in known.items()} | dict.fromkeys(
        ("pau", "linear_spline", "kan_spline"), lambda x: torch.sin(2 * x)
    )
