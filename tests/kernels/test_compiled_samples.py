"""What is kept of a tensor before a change and compared after it, against float64 copies."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from limen.kernels.compiled_samples import ENTRIES, RUN, CompiledSamples, Spot, stride_of
from limen.kernels.library import Library

TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
SHAPES = [(), (1,), (15,), (16,), (17,), (31, 9), (64, 64), (ENTRIES + 1,), (700, 300), (8, 3, 50, 5)]


@pytest.fixture(params=["avx512", "avx2", "plain"])
def samples(request: pytest.FixtureRequest, library: Library | None) -> Iterator[CompiledSamples]:
    path: str = request.param
    if library is None or path not in library.paths:
        pytest.skip(f"no compiled {path} kernels on this machine")
    before = library.path
    library.use(path)
    yield CompiledSamples(library)
    library.use(before)


def looked_at(tensor: Tensor) -> Tensor:
    """The entries that are to be looked at, in float64: all, or evenly spaced runs."""
    flat = tensor.detach().to(torch.float64, copy=True).reshape(-1)
    runs = flat.numel() // RUN
    stride = stride_of(runs) if flat.numel() > ENTRIES else 1
    return flat if stride == 1 else flat[: runs * RUN].view(runs, RUN)[::stride].reshape(-1)


def drawn(shape: tuple[int, ...], seed: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def spots_of(samples: CompiledSamples, tensors: list[Tensor]) -> list[Spot]:
    spots = [samples.spot(tensor, None) for tensor in tensors]
    assert None not in spots
    return [spot for spot in spots if spot is not None]


def test_the_norms_before_and_of_the_change_are_what_float64_says(samples: CompiledSamples) -> None:
    tensors = [drawn(shape, 0, dtype) for shape in SHAPES for dtype in TYPES]
    spots = spots_of(samples, tensors)
    before = [looked_at(tensor) for tensor in tensors]
    for norm, old in zip(samples.keep(tensors, spots), before, strict=True):
        assert norm == pytest.approx(float(old.norm()), rel=1e-12)
    for tensor in tensors:
        tensor.add_(drawn(tuple(tensor.shape), 1, tensor.dtype), alpha=0.01)
    for norm, tensor, old in zip(samples.moved(tensors, spots), tensors, before, strict=True):
        assert norm == pytest.approx(float((looked_at(tensor) - old).norm()), rel=1e-12)


def test_entries_are_compared_where_they_lie_in_memory(samples: CompiledSamples) -> None:
    tensor = drawn((40, 3, 50, 5), 0, torch.float32).contiguous(memory_format=torch.channels_last)
    (spot,) = spots_of(samples, [tensor])
    (size,) = samples.keep([tensor], [spot])
    assert size == pytest.approx(float(looked_at(tensor.permute(0, 2, 3, 1)).norm()), rel=1e-12)
    tensor.mul_(1.5)
    assert samples.moved([tensor], [spot]) == [pytest.approx(size / 2)]


def test_numbers_whose_squares_float64_cannot_hold_have_norms(samples: CompiledSamples) -> None:
    for size in (1e300, 1e-200):
        tensor = torch.full((20,), size, dtype=torch.float64)
        spots = spots_of(samples, [tensor])
        assert samples.keep([tensor], spots) == [pytest.approx(size * math.sqrt(20))]
        tensor.mul_(3)
        assert samples.moved([tensor], spots) == [pytest.approx(2 * size * math.sqrt(20))]


def test_a_change_that_is_not_finite_shows(samples: CompiledSamples) -> None:
    for dtype in TYPES:
        tensor = torch.ones(40, dtype=dtype)
        spots = spots_of(samples, [tensor])
        samples.keep([tensor], spots)
        tensor[3] = math.nan
        assert math.isnan(samples.moved([tensor], spots)[0])


def test_a_tensor_that_has_got_other_memory_is_followed_and_one_of_another_form_is_not(
    samples: CompiledSamples,
) -> None:
    moved, other = torch.ones(30), torch.ones(2, 3, 4, 5)
    tensors, spots = [moved, other], spots_of(samples, [moved, other])
    samples.keep(tensors, spots)
    moved.data, other.data = moved.data + 1, other.data.contiguous(memory_format=torch.channels_last)
    found = samples.moved(tensors, spots)
    assert found[0] == pytest.approx(math.sqrt(30))
    assert math.isnan(found[1])
    assert samples.spot(moved, spots[0]) is spots[0]
    assert samples.spot(other, spots[1]) not in (None, spots[1])


def test_nothing_is_compared_with_what_is_no_longer_kept(samples: CompiledSamples) -> None:
    tensor = torch.ones(30)
    spots = spots_of(samples, [tensor])
    samples.keep([tensor], spots)
    assert samples.moved([tensor], spots) == [0.0]
    assert math.isnan(samples.moved([tensor], spots)[0])


def test_what_cannot_be_read_here_has_no_spot(samples: CompiledSamples) -> None:
    for tensor in (torch.ones(4).to_sparse(), torch.ones(4, dtype=torch.complex64), torch.ones(4, 6).t()):
        assert samples.spot(tensor, None) is None
