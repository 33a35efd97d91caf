"""The compiled functions against the catalogue in double precision, on every instruction set of this machine.

That the catalogue's doubles are right is shown in ``tests/activations/test_rounding.py``, with fifty digits.
"""

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from benchmarks.numerics import errors, unit
from limen.activations import Activation, InDoubles, get
from limen.activations.interface import Entry
from limen.kernels.functions.elementwise import Elementwise
from limen.kernels.functions.library import FunctionLibrary
from tests.kernels.functions import EXAMPLES, NAMES, all_halves, parameters_of, single_line

Floats = npt.NDArray[np.float64]
HALVES = [torch.bfloat16, torch.float16]

every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def kernels(function_library: FunctionLibrary | None) -> Iterator[Elementwise]:
    if function_library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    best = function_library.path
    yield Elementwise(function_library)
    function_library.use(best)


def each_path(kernels: Elementwise) -> Iterator[str]:
    """Each instruction set of this machine, in use."""
    for path in kernels.library.paths:
        kernels.library.use(path)
        yield path


def of_kernel(kernels: Elementwise, act: Activation, what: str, x: Tensor, *, exact: bool) -> Tensor:
    if what == "value":
        return kernels.value(act.name, x, parameters_of(act), exact=exact)
    return kernels.gradient(act.name, torch.ones_like(x), x, parameters_of(act), exact=exact)


@functools.lru_cache(maxsize=4)
def truth_of(act: Activation, what: str) -> tuple[Tensor, Floats, Floats]:
    """Inputs, and ``truth_at`` them; without the kinks, where the slope is a choice."""
    x = single_line()
    if what == "slope":
        x = x[~torch.isin(x.double(), torch.tensor(act.kinks, dtype=torch.float64))]
    return x, *truth_at(act, what, x)


def truth_at(act: Activation, what: str, x: Tensor) -> tuple[Floats, Floats]:
    """The truth, and the larger term of ``g + x g'``, which cancel at a root of the slope.

    In plain doubles, which are good to 2⁻¹² units of single precision: rounded, they are what the catalogue returns.
    """
    z = x.double()
    f, df = InDoubles(act.f), InDoubles(act.df)
    if what == "value":
        return f(z).numpy(), np.zeros(len(x))
    assert isinstance(act, Entry)
    slope = df(z)
    gate = (f(z) / z).nan_to_num(0.0) if act.sheet.roots else slope
    terms = torch.maximum(gate.abs(), (slope - gate).abs()) if act.sheet.roots else torch.zeros_like(z)
    return slope.numpy(), terms.numpy()


# --- how true ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", EXAMPLES, ids=repr)
@pytest.mark.parametrize("what", ["value", "slope"])
def test_single_precision_is_true_over_the_whole_line(kernels: Elementwise, act: Activation, what: str) -> None:
    """Exact: 1 unit in the last place. Fast: 4, or 2⁻²² of the largest term where terms cancel."""
    x, truth, terms = truth_of(act, what)
    allowed = np.maximum(4.0, 2.0**-22 * terms / unit(truth, torch.float32))
    for exact, units in ((True, np.ones(1)), (False, allowed)):
        judged: list[Tensor] = []
        for path in each_path(kernels):
            found = of_kernel(kernels, act, what, x, exact=exact)
            if any(torch.equal(found, other) for other in judged):  # as on another path
                continue
            judged.append(found)
            off = errors(found, truth, np.zeros(1)) / units
            assert off.max() <= 1, (path, exact, off.max(), x[off.argmax()])


@every
@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_half_precision_number_is_rounded_correctly(
    kernels: Elementwise, name: str, what: str, dtype: torch.dtype
) -> None:
    act, x = get(name), all_halves(dtype)
    if what == "slope":
        x = x[~torch.isin(x.double(), torch.tensor(act.kinks, dtype=torch.float64))]
    expected = act.f(x) if what == "value" else act.df(x)
    for path in each_path(kernels):
        found = of_kernel(kernels, act, what, x, exact=True)
        assert torch.equal(found.nan_to_num(7.0), expected.nan_to_num(7.0)), path
        fast = of_kernel(kernels, act, what, x, exact=False)
        near = (
            torch.nextafter(expected, torch.full_like(x, torch.inf)),
            torch.nextafter(expected, -torch.full_like(x, torch.inf)),
        )
        same = (fast == expected) | (fast == near[0]) | (fast == near[1]) | fast.isnan() & expected.isnan()
        assert same.all(), (path, "fast", x[~same][:5])


@every
@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
def test_ends_zeros_and_nan(kernels: Elementwise, name: str, exact: bool) -> None:
    act = get(name)
    assert isinstance(act, Entry)
    x = torch.tensor([torch.inf, -torch.inf, 0.0, -0.0, torch.nan] * 7)
    for _ in each_path(kernels):
        value, slope = (of_kernel(kernels, act, what, x, exact=exact) for what in ("value", "slope"))
        torch.testing.assert_close(value, act.f(x), rtol=2.0**-22, atol=0, equal_nan=True)
        torch.testing.assert_close(slope, act.df(x), rtol=2.0**-22, atol=0, equal_nan=True)
        if act.sheet.parity == "odd":
            assert value[2:4].signbit().tolist() == [False, True]


@pytest.mark.parametrize("name", [name for name in NAMES if get(name).monotone])
def test_exact_values_never_fall_where_the_function_never_falls(kernels: Elementwise, name: str) -> None:
    draw = np.random.default_rng(5)
    starts = torch.from_numpy(draw.uniform(-20, 20, 200).astype(np.float32)).view(torch.int32)
    x = (starts[:, None] + torch.arange(500, dtype=torch.int32)).view(torch.float32)  # neighbours, away from 0
    for path in each_path(kernels):
        y = kernels.value(name, x, parameters_of(get(name)), exact=True)
        assert ((y[:, 1:] - y[:, :-1]) * (x[:, 1:] - x[:, :-1]).sign() >= 0).all(), path


@every
def test_a_gradient_is_the_slope_times_what_comes_in(kernels: Elementwise, name: str) -> None:
    act = get(name)
    generator = torch.Generator().manual_seed(3)
    x, grad = 4 * torch.randn(5000, generator=generator), torch.randn(5000, generator=generator)
    expected = (grad.double() * act.df(x.double())).numpy()
    off = errors(kernels.gradient(name, grad, x, parameters_of(act), exact=True), expected, np.zeros(1))
    assert off.max() <= 1
    half_x, half = x.bfloat16(), grad.bfloat16()
    product = (half.double() * act.df(half_x.double())).numpy()
    off = errors(kernels.gradient(name, half, half_x, parameters_of(act), exact=True), product, np.zeros(1))
    assert off.max() <= 0.5 * (1 + 1e-9)


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "hardsigmoid", "hardswish"])
def test_a_flat_piece_passes_nothing_of_an_infinite_gradient(kernels: Elementwise, name: str) -> None:
    x, grad = torch.full((40,), -7.0), torch.full((40,), torch.inf)
    for exact in (True, False):
        assert (kernels.gradient(name, grad, x, parameters_of(get(name)), exact=exact) == 0).all()


# --- all of them ------------------------------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", ["value", "slope"])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "silu"])
def test_all_single_precision_numbers(kernels: Elementwise, name: str, what: str) -> None:
    """Every one of the 2³², in both modes; a minute or two each."""
    act, worst = get(name), {True: 0.0, False: 0.0}
    for first in range(-(2**31), 2**31, 2**22):
        x = torch.arange(first, first + 2**22, dtype=torch.int64).to(torch.int32).view(torch.float32)
        x = x[x.isfinite()]
        if not len(x):
            continue
        truth, terms = truth_at(act, what, x)
        allowed = np.maximum(4.0, 2.0**-22 * terms / unit(truth, torch.float32))
        for exact in (True, False):
            off = errors(of_kernel(kernels, act, what, x, exact=exact), truth, np.zeros(1))
            worst[exact] = max(worst[exact], float((off if exact else off * 4 / allowed).max()))
    print(f"{name} {what}: exact {worst[True]:.4f}, fast {worst[False]:.3f} units in the last place")
    assert worst[True] <= 1
    assert worst[False] <= 4
