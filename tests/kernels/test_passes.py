"""One reading of a tensor, by torch and by each compiled path, against sums over its float64 copy."""

import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor

from limen.kernels import Sums, torch_pass
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library
from limen.vitals import BINS, EDGES, Histogram, Moments

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
SUM = 2e-6  # float32 sums of a few hundred terms: a few roundings of 2**-24 of the sum of magnitudes, with slack


PATHS = ["torch", "avx512", "avx2", "plain"]

Reader = CompiledPass | ModuleType
"""Something with ``measure`` and ``histogram``."""


@pytest.fixture(params=PATHS, scope="module")
def reader(request: pytest.FixtureRequest, library: Library | None) -> Iterator[Reader]:
    path: str = request.param
    if path == "torch":
        yield torch_pass
        return
    if library is None or path not in library.paths:
        pytest.skip(f"no compiled {path} kernels on this machine")
    before = library.path
    library.use(path)
    yield CompiledPass(library)
    library.use(before)


class Truth(NamedTuple):
    """The same sums by brute force in float64."""

    table: npt.NDArray[np.float64]  # [samples, units]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]

    @classmethod
    def of(cls, z: Tensor, axis: int, left: float | None, right: float | None) -> "Truth":
        whole = z.detach().to(torch.float64).numpy()
        table = np.moveaxis(whole, axis, -1).reshape(-1, whole.shape[axis]) if z.ndim else whole.reshape(1, 1)
        none = np.zeros(table.shape[1], np.int64)
        return cls(
            table,
            none if left is None else (table <= left).sum(0),
            none if right is None else (table >= right).sum(0),
        )


def assert_true(sums: Sums, truth: Truth) -> None:
    """Counts exactly; sums to the rounding of their terms; extremes exactly."""
    samples, units = truth.table.shape
    assert sums.samples == samples
    assert sums.left.tolist() == truth.left.tolist()
    assert sums.right.tolist() == truth.right.tolist()
    assert sums.left.dtype == sums.right.dtype == np.int64
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    size = np.abs(truth.table).mean(0)
    assert np.all(np.abs(moments.mean - truth.table.mean(0)) <= SUM * size)
    # A variance keeps the digits that 100 variances in the squared mean leave it: two of the seven of float32
    assert np.all(np.abs(moments.variance - truth.table.var(0)) <= 100 * SUM * truth.table.var(0) + SUM**2 * size**2)
    assert sums.low.tolist() == truth.table.min(0).tolist()
    assert sums.high.tolist() == truth.table.max(0).tolist()
    assert (sums.nonfinite, len(sums.total)) == (0, units)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


LAYOUTS: dict[str, tuple[Callable[[], Tensor], int]] = {
    "samples × units": (lambda: normal(37, 6), -1),
    "samples × units, positive axis": (lambda: normal(37, 6), 1),
    "batch × time × units": (lambda: normal(5, 7, 6), -1),
    "batch × time × units, positive axis": (lambda: normal(5, 7, 6), 2),
    "batch × channels × time": (lambda: normal(5, 6, 9), 1),
    "batch × channels × time, negative axis": (lambda: normal(5, 6, 9), -2),
    "images": (lambda: normal(4, 6, 5, 3), 1),
    "images, negative axis": (lambda: normal(4, 6, 5, 3), -3),
    "images of one pixel": (lambda: normal(40, 6, 1, 1), 1),
    "channels-last images": (lambda: normal(4, 6, 5, 3).contiguous(memory_format=torch.channels_last), 1),
    "volumes": (lambda: normal(2, 6, 3, 4, 5), 1),
    "an image without a batch": (lambda: normal(6, 7, 5), 0),
    "units first": (lambda: normal(6, 37), 0),
    "a middle axis of four": (lambda: normal(3, 4, 6, 5), 2),
    "transposed": (lambda: normal(6, 37).t(), -1),
    "every second row and column": (lambda: normal(50, 20)[::2, ::2], -1),
    "an offset into a larger tensor": (lambda: normal(50, 20)[3:, 5:11], -1),
    "rows that are all the same memory": (lambda: normal(1, 6).expand(37, 6), -1),
    "channels that are all the same memory": (lambda: normal(4, 1, 5, 3).expand(4, 6, 5, 3), 1),
    "permuted images": (lambda: normal(4, 5, 3, 6).permute(0, 3, 1, 2), 1),
    "a vector": (lambda: normal(6), 0),
    "one unit": (lambda: normal(37, 1), -1),
    "one channel": (lambda: normal(4, 1, 5, 3), 1),
    "one sample": (lambda: normal(1, 6), -1),
    "one number": (lambda: normal(1)[0], -1),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_measure_is_what_float64_says(reader: Reader, layout: str, dtype: torch.dtype) -> None:
    make, axis = LAYOUTS[layout]
    z = make().to(dtype)
    assert_true(reader.measure(z, axis, -0.5, 0.75), Truth.of(z, axis, -0.5, 0.75))


@pytest.mark.parametrize(("left", "right"), [(None, None), (0.0, None), (None, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("layout", ["samples × units", "images", "channels-last images"])
def test_a_side_that_does_not_exist_has_no_samples(
    reader: Reader, layout: str, left: float | None, right: float | None
) -> None:
    make, axis = LAYOUTS[layout]
    z = make()
    assert_true(reader.measure(z, axis, left, right), Truth.of(z, axis, left, right))


LARGE: dict[str, tuple[Callable[[], Tensor], int]] = {  # more entries than are read at a time
    "samples × units": (lambda: normal(3001, 301), -1),
    "units only": (lambda: normal(2, 600_000), -1),
    "images": (lambda: normal(41, 17, 31, 37), 1),
    "channels-last images": (lambda: normal(41, 17, 31, 37).contiguous(memory_format=torch.channels_last), 1),
    "one large image": (lambda: normal(1, 17, 190, 191), 1),
    "two large images": (lambda: normal(2, 3, 500, 501), 1),
    "transposed": (lambda: normal(301, 3001).t(), -1),
}


@pytest.mark.parametrize("mean", [0.0, 300.0])
@pytest.mark.parametrize("layout", LARGE)
def test_a_large_tensor_is_read_in_pieces_without_loss(reader: Reader, layout: str, mean: float) -> None:
    make, axis = LARGE[layout]
    z = make() + mean
    sums, truth = reader.measure(z, axis, mean - 0.5, mean + 0.75), Truth.of(z, axis, mean - 0.5, mean + 0.75)
    assert sums.samples == len(truth.table)
    assert sums.left.tolist() == truth.left.tolist()
    assert sums.right.tolist() == truth.right.tolist()
    assert sums.low.tolist() == truth.table.min(0).tolist()
    assert sums.high.tolist() == truth.table.max(0).tolist()
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    # Sums of up to 250,000 float32 terms in the lanes of a vector; a thousandth of a deviation is enough for all rules
    deviation = truth.table.std(0)
    assert np.all(np.abs(moments.mean - truth.table.mean(0)) <= 1e-3 * deviation)
    assert np.all(np.abs(moments.variance - truth.table.var(0)) <= 1e-3 * deviation**2)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_value_on_a_limit_is_flat(reader: Reader, dtype: torch.dtype) -> None:
    z = torch.tensor([[-2.0, -2.0], [0.0, 3.0], [-0.0, 3.0], [3.0, 4.0]], dtype=dtype)
    sums = reader.measure(z, -1, -2.0, 3.0)
    assert (sums.left.tolist(), sums.right.tolist()) == ([1, 1], [1, 3])
    assert reader.measure(z, -1, 0.0, None).left.tolist() == [3, 1]


@pytest.mark.parametrize(("shape", "axis"), [((0, 6), -1), ((0, 6, 4, 4), 1), ((3, 0, 6), -1), ((4, 6, 0), 1)])
def test_an_empty_batch_is_no_samples(reader: Reader, shape: tuple[int, ...], axis: int) -> None:
    sums = reader.measure(torch.empty(shape), axis, 0.0, 1.0)
    assert (sums.samples, sums.nonfinite, sums.left.tolist(), sums.right.tolist()) == (0, 0, [0] * 6, [0] * 6)
    assert np.all(sums.low == np.inf)
    assert np.all(sums.high == -np.inf)
    assert Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift).count == 0


@given(
    table=arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-100, 100, width=32),
    )
)
@settings(max_examples=60, deadline=None)
def test_measure_is_what_float64_says_of_any_table(reader: Reader, table: npt.NDArray[np.float32]) -> None:
    z = torch.from_numpy(table.copy())
    sums, truth = reader.measure(z, -1, -1.0, 1.0), Truth.of(z, -1, -1.0, 1.0)
    assert sums.left.tolist() == truth.left.tolist()
    assert sums.right.tolist() == truth.right.tolist()
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    peak = np.abs(truth.table).max(0)
    assert np.all(np.abs(moments.mean - truth.table.mean(0)) <= SUM * peak)
    # Twelve terms, each rounded relative to the largest square; squares below float32's smallest normal vanish
    assert np.all(np.abs(moments.variance - truth.table.var(0)) <= 4 * SUM * peak**2 + 1.2e-38)


# Values that are hard to sum ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["samples × units", "images", "channels-last images", "batch × time × units"])
@pytest.mark.parametrize("mean", [1e2, -1e4])
def test_a_small_variance_beside_a_large_mean_survives(reader: Reader, layout: str, mean: float) -> None:
    make, axis = LAYOUTS[layout]
    z = make() + mean
    sums, truth = reader.measure(z, axis, None, None), Truth.of(z, axis, None, None)
    variance = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift).variance
    # z - shift is exact to 2**-24 of the mean: a deviation of 1 is wrong by mean · 2**-24, twice when squared
    assert np.all(np.abs(variance / truth.table.var(0) - 1) <= 4 * abs(mean) * 2**-24 + 1e-5)


def test_a_constant_unit_has_no_variance(reader: Reader) -> None:
    sums = reader.measure(torch.full((1000, 3), 1234.567), -1, None, None)
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    assert np.all(moments.std <= 1234.567 * 2**-23)  # the mean of equal numbers is off by a rounding


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("layout", "axis"), [((8, 4), -1), ((2, 4, 3, 3), 1)])
def test_finite_values_have_finite_moments_however_large(
    reader: Reader, layout: tuple[int, ...], axis: int, dtype: torch.dtype
) -> None:
    z = (normal(*layout) * 1e30).to(dtype)
    sums, truth = reader.measure(z, axis, 0.0, None), Truth.of(z, axis, 0.0, None)
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    np.testing.assert_allclose(moments.variance, truth.table.var(0), rtol=1e-5)  # float32 sums of few terms
    assert sums.nonfinite == 0
    assert sums.left.tolist() == truth.left.tolist()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("shape", "axis"), [((50, 4), -1), ((5, 4, 5, 2), 1)])
def test_nan_and_infinities_are_counted_and_spoil_only_their_unit(
    reader: Reader, shape: tuple[int, ...], axis: int, dtype: torch.dtype
) -> None:
    z = normal(*shape).to(dtype)
    clean = Truth.of(z, axis, -0.5, 0.5)
    by_unit = z.movedim(axis, 0)
    for unit, value in ((0, float("nan")), (1, float("inf")), (2, -float("inf"))):
        by_unit[unit][(1,) * (z.ndim - 1)] = value
    sums, truth = reader.measure(z, axis, -0.5, 0.5), Truth.of(z, axis, -0.5, 0.5)
    assert sums.nonfinite == 3
    assert sums.left.tolist() == truth.left.tolist()  # NaN is on neither side, infinities are on theirs
    assert sums.right.tolist() == truth.right.tolist()
    moments = Moments.of_sums(sums.samples, sums.total, sums.squares, sums.shift)
    assert np.isnan(moments.mean).tolist() == [True, True, True, False]
    assert abs(moments.mean[3] - clean.table.mean(0)[3]) < SUM
    assert sums.low.tolist() == np.nanmin(truth.table, 0).tolist()
    assert sums.high.tolist() == np.nanmax(truth.table, 0).tolist()


def test_a_unit_of_nan_only_has_no_extremes(reader: Reader) -> None:
    sums = reader.measure(torch.tensor([[1.0, float("nan")], [2.0, float("nan")]]), -1, 0.0, 1.0)
    assert (sums.low.tolist(), sums.high.tolist()) == ([1.0, np.inf], [2.0, -np.inf])
    assert sums.nonfinite == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e38, 3e200])
def test_no_value_makes_numpy_warn_in_the_training(reader: Reader, value: float) -> None:
    z = torch.full((4, 3), value, dtype=torch.float64)
    z[0] = -value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader.measure(z, -1, 0.0, 1.0)


def test_more_samples_than_float32_can_count_are_counted(reader: Reader) -> None:
    z = torch.ones(1, 1).expand((1 << 24) + 3, 1)
    sums = reader.measure(z, -1, 0.0, 1.0)
    assert (sums.left.tolist(), sums.right.tolist()) == ([0], [(1 << 24) + 3])


# What the training must not notice ---------------------------------------------------------------------------------


@pytest.fixture(params=[("bfloat16 autocast", 0), ("low matmul precision", 1), ("float64 by default", 2)], ids=str)
def mood(request: pytest.FixtureRequest) -> Iterator[None]:
    """Settings of a script that change what torch's operations do."""
    which: int = request.param[1]
    precision, dtype = torch.get_float32_matmul_precision(), torch.get_default_dtype()
    try:
        if which == 1:
            torch.set_float32_matmul_precision("medium")
        if which == 2:
            torch.set_default_dtype(torch.float64)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=which == 0):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.set_default_dtype(dtype)


@pytest.mark.usefixtures("mood")
@pytest.mark.parametrize("shape", [(3001, 6), (20, 6, 9, 9)])
def test_the_precision_settings_of_the_script_change_nothing(reader: Reader, shape: tuple[int, ...]) -> None:
    z = torch.randn(shape, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    axis = 1 if len(shape) == 4 else -1
    assert_true(reader.measure(z, axis, -0.5, 0.5), Truth.of(z, axis, -0.5, 0.5))


@pytest.mark.parametrize("layout", ["samples × units", "images", "channels-last images"])
@pytest.mark.parametrize("grad", [True, False])
def test_measuring_leaves_tensor_random_numbers_and_graph_alone(reader: Reader, layout: str, grad: bool) -> None:
    make, axis = LAYOUTS[layout]
    leaf = make().requires_grad_(grad)
    z = leaf * 100.0 + 1e4  # takes the shifted sums, which write to scratch memory
    before, version, function = z.detach().clone(), z._version, z.grad_fn
    after = None if function is None else function.next_functions
    torch.manual_seed(3)
    state = torch.get_rng_state()
    reader.measure(z, axis, -0.5, 0.5)
    reader.histogram(z)
    assert torch.equal(z.detach(), before)
    assert (z._version, z.grad_fn) == (version, function)
    assert torch.equal(torch.get_rng_state(), state)
    if grad:
        assert z.grad_fn is not None
        assert z.grad_fn.next_functions == after
        (gradient,) = torch.autograd.grad(z.sum(), leaf)
        assert torch.equal(gradient, torch.full_like(leaf, 100.0))


# Histograms --------------------------------------------------------------------------------------------------------


def by_edges(values: npt.NDArray[np.float32]) -> list[int]:
    """Count float32 values in ``EDGES``, magnitudes in ``[edge, next edge)``."""
    finite = values[np.isfinite(values)].astype(np.float64)
    place = np.searchsorted(EDGES[BINS // 2 + 1 :], np.abs(finite), side="right")
    bins = BINS // 2 + np.where(np.signbit(finite), -place, place)
    return np.bincount(bins, minlength=BINS).tolist()


def folded(reader: Reader, z: Tensor) -> list[int]:
    return Histogram.of_cells(reader.histogram(z)).counts.tolist()


def all_magnitudes() -> npt.NDArray[np.float32]:
    """Every sign and exponent of float32 with several mantissas: zeros, subnormals, infinities and NaN too."""
    mantissas = np.array([0, 1, 0x3FFFFF, 0x400000, 0x400001, 0x7FFFFF], dtype=np.uint32)
    heads = np.arange(512, dtype=np.uint32) << np.uint32(23)
    return (heads[:, None] | mantissas[None, :]).reshape(-1).view(np.float32)


def test_the_histogram_is_what_the_edges_say_for_every_magnitude(reader: Reader) -> None:
    values = all_magnitudes()
    assert folded(reader, torch.from_numpy(values.copy())) == by_edges(values)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_histogram_is_what_the_edges_say_for_every_type(reader: Reader, dtype: torch.dtype) -> None:
    scale = torch.logspace(-9, 4.5, 400)
    z = torch.cat([scale, -scale, torch.zeros(3), -torch.zeros(2)]).to(dtype)
    z[0], z[1], z[2] = float("nan"), float("inf"), -float("inf")
    assert folded(reader, z) == by_edges(z.to(torch.float32).numpy())


def test_every_half_precision_number_falls_between_its_edges(reader: Reader) -> None:
    every = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16)
    for dtype in (torch.float16, torch.bfloat16):
        z = every.view(dtype)
        assert folded(reader, z) == by_edges(z.to(torch.float32).numpy())


def test_float64_values_beyond_float32_count_in_the_outer_bins(reader: Reader) -> None:
    z = torch.tensor([1e300, -1e300, -1e39, float("inf"), float("nan"), 1e-300], dtype=torch.float64)
    counts = folded(reader, z)
    assert (counts[0], counts[-1], counts[BINS // 2], sum(counts)) == (2, 1, 1, 4)


@pytest.mark.parametrize("layout", ["images", "transposed", "rows that are all the same memory", "one number"])
def test_the_histogram_counts_every_entry_of_any_layout(reader: Reader, layout: str) -> None:
    z = LAYOUTS[layout][0]()
    assert folded(reader, z) == by_edges(z.numpy().reshape(-1))


def test_the_histogram_of_nothing_is_empty(reader: Reader) -> None:
    assert sum(folded(reader, torch.empty(0, 3))) == 0
