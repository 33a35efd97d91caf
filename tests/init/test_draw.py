"""Drawn values: their second moment, orthogonality by multiplication, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from limen.anatomy.tape import Value
from limen.init.draw import draw
from limen.init.settings import Setting


def setting(*shape: int, way: str = "orthogonal", std: float = 1.0, **more: Any) -> Setting:
    leaf = torch.empty(shape, dtype=torch.float64)
    return Setting(Value(shape, torch.float64, "parameter", "w", leaf=leaf), way, std, **more)  # type: ignore[arg-type]


def drawn(one: Setting, seed: int = 0) -> Tensor:
    return draw(one, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(64, 256), (256, 64), (96, 96)], ids=str)
@pytest.mark.parametrize("way", ["normal", "uniform", "orthogonal"])
def test_entries_have_the_standard_deviation_asked_for(way: str, shape: tuple[int, int]) -> None:
    found = drawn(setting(*shape, way=way, std=0.3))
    # 16,384 independent entries are within 3 % at 5 sigma
    assert float(found.square().mean().sqrt()) == pytest.approx(0.3, rel=1e-9 if way == "orthogonal" else 0.03)
    if way == "uniform":
        assert float(found.abs().max()) <= 0.3 * 3**0.5


@pytest.mark.parametrize("shape", [(8, 32), (32, 8), (16, 16)], ids=str)
def test_rows_or_columns_are_orthogonal(shape: tuple[int, int]) -> None:
    found = drawn(setting(*shape))
    gram = found @ found.T if shape[0] <= shape[1] else found.T @ found
    torch.testing.assert_close(gram, max(shape) * torch.eye(min(shape), dtype=torch.float64))


def test_a_kernel_is_orthogonal_at_its_centre_and_0_elsewhere() -> None:
    found = drawn(setting(8, 8, 3, 3, tapped=True))
    centre = found[:, :, 1, 1]
    torch.testing.assert_close(centre @ centre.T, 8 * 9 * torch.eye(8, dtype=torch.float64))
    assert float(found.square().sum()) == pytest.approx(float(centre.square().sum()))
    assert float(found.square().mean()) == pytest.approx(1)


def test_groups_and_blocks_are_orthogonal_by_themselves() -> None:
    grouped = drawn(setting(8, 4, 1, groups=2, tapped=True))[:, :, 0]
    blocks = drawn(setting(24, 8, blocks=3))
    for part in (*grouped.chunk(2), *blocks.chunk(3)):
        torch.testing.assert_close(part @ part.T, part.shape[1] * torch.eye(len(part), dtype=torch.float64))


def test_a_weight_stored_the_other_way_round_is_drawn_that_way_round() -> None:
    found = drawn(setting(8, 24, unit_axis=1, input_axis=0, blocks=3))
    for part in found.chunk(3, 1):
        torch.testing.assert_close(part.T @ part, 8 * torch.eye(8, dtype=torch.float64))


def test_centred_rows_sum_to_0_and_keep_their_scale() -> None:
    found = drawn(setting(64, 128, 3, way="normal", std=0.2, centred=True))
    assert float(found.sum(1).abs().max()) < 1e-12
    assert float(found.square().mean().sqrt()) == pytest.approx(0.2, rel=0.03)


def test_a_padding_row_is_0_and_a_forget_gate_1() -> None:
    found = drawn(setting(5, 4, way="normal", unit_axis=1, input_axis=0, blank=2))
    assert torch.equal(found[2], torch.zeros(4, dtype=torch.float64))
    assert bool((found[[0, 1, 3, 4]] != 0).all())
    assert drawn(setting(8, way="constant", special=(2, 4, 1.0))).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("way", ["normal", "uniform", "orthogonal"])
def test_a_generator_in_the_same_state_draws_the_same_and_leaves_the_global_one(way: str) -> None:
    before = torch.random.get_rng_state()
    assert torch.equal(drawn(setting(6, 5, way=way)), drawn(setting(6, 5, way=way)))
    assert not torch.equal(drawn(setting(6, 5, way=way)), drawn(setting(6, 5, way=way), seed=1))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_without_one_the_global_generator_is_used() -> None:
    torch.manual_seed(5)
    first = draw(setting(3, 3, way="normal"), None)
    torch.manual_seed(5)
    assert torch.equal(first, torch.randn(3, 3, dtype=torch.float64))
