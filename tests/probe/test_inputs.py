"""The scale of the model's input, against all batches together in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limen.probe.backlog import Backlog
from limen.probe.inputs import BATCHES, InputAccount
from limen.vitals import InputVitals


def seen(*batches: Tensor) -> InputVitals | None:
    account = InputAccount(Backlog())
    for batch in batches:
        account.add(batch)
    return account.vitals()


@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 20), min_size=1, max_size=BATCHES),
    offset=st.floats(-1e3, 1e3),
)
@settings(deadline=None, max_examples=40)
def test_the_scale_is_that_of_all_batches_together(seed: int, sizes: list[int], offset: float) -> None:
    random = torch.Generator().manual_seed(seed)
    batches = [torch.randn(size, 4, generator=random) + offset for size in sizes]
    found, whole = seen(*batches), torch.cat(batches).double().numpy()
    if not whole.size:
        assert found is None
        return
    assert found is not None
    assert found.mean == pytest.approx(whole.mean(), abs=1e-9 * (1 + abs(offset)))  # float64 sums of 1,600 numbers
    assert found.std == pytest.approx(whole.std(), abs=1e-6)  # a variance of 1 beside a squared mean of 1e6
    assert (found.low, found.high, found.features) == (whole.min(), whole.max(), 4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_every_floating_point_type_is_read(dtype: torch.dtype) -> None:
    batch = torch.linspace(-3, 5, 50).to(dtype)
    found = seen(batch)
    assert found is not None
    assert found.mean == pytest.approx(float(batch.double().mean()), rel=1e-12)


def test_tokens_and_empty_batches_have_no_scale() -> None:
    assert seen(torch.ones(3, 4, dtype=torch.long), torch.empty(0, 4), torch.ones(2, dtype=torch.bool)) is None


@pytest.mark.parametrize(("shape", "features"), [((8, 5), 5), ((8, 7, 5), 5), ((2, 3, 9, 9), 3), ((5,), 5)])
def test_features_are_the_last_axis_or_the_channels(shape: tuple[int, ...], features: int) -> None:
    found = seen(torch.ones(shape))
    assert found is not None
    assert found.features == features


def test_only_the_first_batches_are_read() -> None:
    found = seen(*[torch.ones(2, 2)] * BATCHES, torch.full((2, 2), 100.0))
    assert found is not None
    assert (found.mean, found.high) == (1.0, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_an_input_beyond_all_bounds_is_told_and_raises_nothing(value: float) -> None:
    batch = torch.ones(4, 3, dtype=torch.float64)
    batch[1, 1] = value
    found = seen(batch)
    assert found is not None
    assert not np.isfinite([found.mean, found.std, found.low, found.high]).all()


def test_reading_changes_neither_the_batch_nor_its_graph() -> None:
    batch = torch.ones(3, 3, requires_grad=True)
    seen(batch)
    assert torch.equal(batch.detach(), torch.ones(3, 3))
    assert (batch.grad, batch._version) == (None, 0)
