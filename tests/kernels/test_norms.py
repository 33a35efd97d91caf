"""The norms of many tensors, by torch and compiled, against float64."""

import math
import shutil
from collections.abc import Callable, Sequence
from ctypes import CDLL, CFUNCTYPE, byref, c_double, c_int64, c_uint, c_void_p
from pathlib import Path

import pytest
import torch
from torch import Tensor

from limen.kernels import torch_norms
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library

Norms = Callable[[Sequence[Tensor]], list[float]]
TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


@pytest.fixture(params=["torch", "compiled"])
def norms(request: pytest.FixtureRequest, library: Library | None) -> Norms:
    if request.param == "torch":
        return torch_norms.norms
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    return CompiledPass(library).norms


def test_each_tensor_has_the_norm_that_float64_says(norms: Norms) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(), (1,), (0,), (15,), (16,), (17,), (300, 257), (8, 3, 5, 5)]
    tensors = [torch.randn(shape, generator=generator).to(kind) for shape in shapes for kind in TYPES]
    tensors += [torch.randn(8, 3, 5, 5).to(memory_format=torch.channels_last), torch.randn(6, 9)[::2, 1:]]
    for tensor, norm in zip(tensors, norms(tensors), strict=True):
        assert norm == pytest.approx(float(tensor.double().norm()), rel=1e-5)  # float32 sums of torch


def test_what_is_not_finite_shows_and_what_is_finite_stays(norms: Norms) -> None:
    for kind in TYPES:
        nan, infinite = torch.tensor([1.0, math.nan], dtype=kind), torch.tensor([math.inf, 1.0], dtype=kind)
        assert math.isnan(norms([nan])[0])
        assert norms([infinite, -infinite]) == [math.inf, math.inf]
    assert norms([torch.full((4,), 1e30)]) == [pytest.approx(2e30)]
    assert norms([torch.zeros(5)]) == [0.0]


def test_float64_beyond_the_square_root_of_its_range_has_a_norm(library: Library | None) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    for size in (1e300, 1e-200):
        (norm,) = CompiledPass(library).norms([torch.full((4,), size, dtype=torch.float64)])
        assert norm == pytest.approx(2 * size)


def test_one_tensor_has_the_norm_that_it_has_among_others(library: Library | None) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    kernels = CompiledPass(library)
    for kind in TYPES:
        for tensor in (torch.randn(300, 257).to(kind), torch.randn(6, 9).to(kind)[::2, 1:], torch.zeros(0, dtype=kind)):
            assert [kernels.norm(tensor)] == kernels.norms([tensor])
            assert torch_norms.norm(tensor) == pytest.approx(kernels.norm(tensor), rel=1e-5)


def test_no_more_threads_are_woken_than_there_are_pieces(library: Library | None, tmp_path: Path) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    own, woken = Library(Path(shutil.copy(library.file, tmp_path))), list[int]()

    @CFUNCTYPE(None, c_void_p, c_void_p, c_uint, c_uint)
    def team(work: int, context: int, threads: int, _: int) -> None:
        woken.append(threads)
        CFUNCTYPE(None, c_void_p)(work)(context)

    functions = CDLL(str(own.file))
    functions.limen_use_team(team)
    piece, numbers = 1 << 16, torch.ones(3 << 16)
    for entries in (1, piece, piece + 1, 3 * piece):
        found = c_double()
        at = (byref(c_void_p(numbers.data_ptr())), byref(c_int64(entries)), byref(c_int64(0)))
        assert own.norms(1, *at, 2, byref(found)) == 0
        assert found.value == math.sqrt(entries)
    assert woken == [2, 2]


def test_no_tensors_have_no_norms(norms: Norms) -> None:
    assert norms([]) == []
