"""Which tensors the compiled functions take, and that nothing but the numbers matters for the result."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from limen.activations import get
from limen.errors import InvalidValue
from limen.kernels.functions import IN_USE, compiled, gradient, value
from limen.kernels.functions.elementwise import Elementwise
from limen.kernels.functions.library import FunctionLibrary
from limen.kernels.loading import SWITCH
from tests.kernels.functions import NAMES, parameters_of

TYPES = [torch.float32, torch.bfloat16, torch.float16]
both = pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
every_type = pytest.mark.parametrize("dtype", TYPES, ids=str)


@pytest.fixture
def kernels(function_library: FunctionLibrary | None) -> Elementwise:
    if function_library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    return Elementwise(function_library)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def random(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))).to(dtype)


def same_bits(left: Tensor, right: Tensor) -> bool:
    kind = torch.int32 if left.dtype == torch.float32 else torch.int16
    return torch.equal(left.contiguous().view(kind), right.contiguous().view(kind))


@both
@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_at_every_position_and_length(kernels: Elementwise, name: str, exact: bool) -> None:
    parameters = parameters_of(get(name))
    for dtype in TYPES:
        x, grad = random(600, dtype=dtype), random(601, dtype=dtype)[1:]
        y = kernels.value(name, x, parameters, exact=exact)
        slope = kernels.gradient(name, grad, x, parameters, exact=exact)
        for first, last in [(0, 1), (1, 2), (3, 20), (15, 16), (17, 49), (7, 520), (64, 599), (590, 600)]:
            assert same_bits(kernels.value(name, x[first:last], parameters, exact=exact), y[first:last])
            part = kernels.gradient(name, grad[first:last], x[first:last], parameters, exact=exact)
            assert same_bits(part, slope[first:last])


@both
@every_type
def test_the_same_bits_with_two_threads_and_past_the_cache(
    kernels: Elementwise, two_threads: None, dtype: torch.dtype, exact: bool
) -> None:
    few = random(1009, dtype=dtype)
    many = few.repeat(2200)  # more than 2 million, which are written past the cache; none of its places is aligned
    for name in ("gelu", "mish", "relu"):
        y = kernels.value(name, many, (), exact=exact)
        slope = kernels.gradient(name, many, many, (), exact=exact)
        torch.set_num_threads(1)
        assert same_bits(y, kernels.value(name, few, (), exact=exact).repeat(2200))
        assert same_bits(slope, kernels.gradient(name, few, few, (), exact=exact).repeat(2200))
        torch.set_num_threads(2)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda x: x.transpose(1, 3),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "every other row": lambda x: x[:, ::2],
    "every third number": lambda x: x[..., ::3],
    "one row for all": lambda x: x[:1].expand(5, -1, -1, -1),
    "offset": lambda x: x.flatten()[5:],
    "one number": lambda x: x[0, 0, 0, 0],
    "none": lambda x: x[:0],
    "negated view": lambda x: torch._neg_view(x),  # pyright: ignore[reportPrivateUsage]
    "a unit axis with odd strides": lambda x: x.as_strided((1, 4, 6), (7, 6, 1)),
}


@both
@every_type
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_the_numbers_of_a_copy(
    kernels: Elementwise, layout: str, dtype: torch.dtype, exact: bool
) -> None:
    x = LAYOUTS[layout](random(3, 4, 6, 5, dtype=dtype))
    grad = torch.ones((), dtype=dtype).expand(x.shape)  # as a sum passes it back
    y, slope = kernels.value("gelu", x, (), exact=exact), kernels.gradient("gelu", grad, x, (), exact=exact)
    copy = x.clone(memory_format=torch.contiguous_format)
    assert y.shape == slope.shape == x.shape
    assert y.dtype == slope.dtype == dtype
    assert y.stride() == slope.stride() == torch.empty_like(x).stride()
    assert same_bits(y, kernels.value("gelu", copy, (), exact=exact))
    assert same_bits(slope, kernels.gradient("gelu", torch.ones_like(copy), copy, (), exact=exact))


def test_a_gradient_of_another_layout_or_type_is_put_in_order(kernels: Elementwise) -> None:
    x, grad = random(6, 5).t(), random(5, 6)
    expected = kernels.gradient("tanh", grad.t().contiguous().t(), x, (), exact=True)
    assert torch.equal(kernels.gradient("tanh", grad, x, (), exact=True), expected)
    assert torch.equal(kernels.gradient("tanh", grad.double(), x, (), exact=True), expected)


def test_what_goes_in_stays_as_it_is(kernels: Elementwise) -> None:
    x = random(100).requires_grad_()
    before = x.detach().clone()
    y = kernels.value("silu", x, (), exact=False)
    assert not y.requires_grad
    assert torch.equal(x.detach(), before)


def test_the_catalogue_serves_what_is_not_compiled() -> None:
    cpu = torch.device("cpu")
    assert not compiled("gelu", torch.float64, cpu)
    assert not compiled("gelu", torch.float32, torch.device("meta"))
    assert not compiled("rleu", torch.float32, cpu)
    with pytest.raises(InvalidValue, match=r"gelu: no kernel for torch\.float64 on cpu .* f and df serve everywhere\."):
        value("gelu", torch.zeros(3, dtype=torch.float64), ())


def test_gradients_of_another_shape_are_refused() -> None:
    if IN_USE.startswith("torch"):
        pytest.skip("no compiled kernels")
    with pytest.raises(InvalidValue, match=r"gradient\('relu'\): grad has the shape \[3\] and x \[4\]"):
        gradient("relu", torch.zeros(3), torch.zeros(4), ())


def test_the_functions_are_those_of_the_seam() -> None:
    """On a machine with a compiler; ids of tests must not depend on it, so the names are written down."""
    if IN_USE.startswith("torch"):
        pytest.skip("no compiled kernels")
    for name in NAMES:
        for dtype in TYPES:
            assert compiled(name, dtype, torch.device("cpu"))
    x = random(50)
    torch.testing.assert_close(value("gelu", x, ()), torch.nn.functional.gelu(x), rtol=1e-5, atol=1e-6)


def test_torch_serves_where_the_user_says_so() -> None:
    code = (
        "import torch; from limen.kernels import functions as f;"
        "print(f.IN_USE, f.compiled('gelu', torch.float32, torch.device('cpu')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, SWITCH: "torch"}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == f"torch ({SWITCH}=torch) False"
