"""The table: predicted figures beside those measured, warnings with theirs, and the text."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen import theory


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tanh_stack(depth: int, width: int = 128) -> nn.Sequential:
    return nn.Sequential(*(m for _ in range(depth) for m in (nn.Linear(width, width), nn.Tanh())), nn.Linear(width, 10))


def test_predicted_figures_stand_beside_each_weight() -> None:
    model, x = tanh_stack(8), torch.randn(128, 128, generator=seeded(1))
    made = limen.init_(model, x, mode="critical", generator=seeded())
    z = x
    for row, layer in zip(made.rows, [m for m in model if isinstance(m, nn.Linear)], strict=True):
        with torch.no_grad():
            z = layer(z)
            assert row.now is not None
            assert row.now.variance == pytest.approx(float(z.var()), rel=0.1)
            z = torch.tanh(z)
    first, last = made.rows[0], made.rows[-2]
    assert first.before is not None
    assert last.before is not None
    assert first.now is not None
    assert last.now is not None
    assert 0.3 < first.now.gradient / last.now.gradient < 3
    assert first.before.gradient / last.before.gradient < 0.05  # (1/3)^(7/2) = 0.02, with torch's defaults


def test_the_growth_that_variance_brings_is_warned_of_with_its_figure() -> None:
    model, x = tanh_stack(50, width=256), torch.randn(64, 256, generator=seeded(1))
    expected = (theory.forward_gain("tanh") ** 2 * theory.moments("tanh").slope_square) ** (49 / 2)
    with pytest.warns(
        UserWarning, match=rf"gradients grow {expected:.3g}-fold over 50 layers of tanh \(chi_1 1\.178\)"
    ):
        limen.init_(model, x, generator=seeded(), predicted=False)
    found: list[Tensor] = []
    for layer in model:
        x = layer(x)
        if isinstance(layer, nn.Linear):
            x.retain_grad()
            found.append(x)
    F.cross_entropy(x, torch.arange(64) % 10).backward()
    first, last = found[0].grad, found[-2].grad
    assert first is not None
    assert last is not None
    assert float(first.norm() / last.norm()) == pytest.approx(expected, rel=0.5)


def test_a_sigmoid_is_told_to_lose_its_gradient() -> None:
    model = nn.Sequential(*(m for _ in range(20) for m in (nn.Linear(16, 16), nn.Sigmoid())), nn.Linear(16, 10))
    with pytest.warns(UserWarning, match=r"shrink to 1\.\d+e-08 over 20 layers of sigmoid \(chi_1 0\.153\)"):
        limen.init_(model)


def test_no_warning_for_what_a_normalisation_ends() -> None:
    block = (m for _ in range(20) for m in (nn.Linear(16, 16), nn.LayerNorm(16), nn.GELU()))
    limen.init_(nn.Sequential(*block, nn.Linear(16, 10)))


def test_the_text_of_a_table() -> None:
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    x = torch.randn(32, 64, generator=seeded(1))
    lines = str(limen.init_(model, x, generator=seeded())).splitlines()
    assert " ".join(lines[0].split()) == "weight functions fan in old std new std rule wanted variance gradient remark"
    assert lines[2].split()[:5] == ["0.weight", "linear", "→", "relu", "64"]
    assert lines[2].endswith("from its actual input")
    lines = str(limen.init_(model)).splitlines()
    assert "gradient" not in lines[0]
    assert lines[-1].startswith("* without a sample: the input was taken to have variance 1")
