"""What is predicted of a real model against what one pass through it measures."""

from __future__ import annotations

import statistics

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.theory import Prediction, predict


def errors(found: Prediction) -> dict[str, float]:
    """The largest relative error over the sites, of each figure."""
    variance, gradient, active = [0.0], [0.0], [0.0]
    for site in found.sites:
        assert site.source == "theory", site
        assert site.measured is not None
        variance.append(abs(site.variance / site.measured.variance - 1))
        gradient.append(abs(site.gradient / site.measured.gradient - 1))
        active.append(abs(site.active - site.measured.active))
    return {"variance": max(variance), "gradient": max(gradient), "active": max(active)}


def over_draws(build: type[nn.Module], shape: tuple[int, ...], draws: int = 3) -> dict[str, float]:
    """The median over draws of these errors."""
    found: list[dict[str, float]] = []
    for seed in range(draws):
        torch.manual_seed(seed)
        found.append(errors(predict(build(), torch.randn(shape))))
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


class Plain(nn.Sequential):
    """Eight layers of 512 with He's initialisation."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for _ in range(8):
            linear = nn.Linear(512, 512)
            nn.init.kaiming_normal_(linear.weight)
            layers += [linear, nn.ReLU()]
        super().__init__(*layers, nn.Linear(512, 10))


class Convolutions(nn.Sequential):
    """Padding, stride, groups, pooling."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1, groups=2),
            nn.GELU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, stride=2),
            nn.Tanh(),
            nn.ConvTranspose2d(128, 64, 2),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 4, 10),
        )


class Residual(nn.Module):
    """Branches behind a layer normalisation, added."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(64, 256)
        self.norms = nn.ModuleList(nn.LayerNorm(256) for _ in range(6))
        self.wide = nn.ModuleList(nn.Linear(256, 512) for _ in range(6))
        self.back = nn.ModuleList(nn.Linear(512, 256) for _ in range(6))
        self.head = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for norm, wide, back in zip(self.norms, self.wide, self.back, strict=True):
            x = x + back(F.gelu(wide(norm(x))))
        return self.head(x)


class Normalised(nn.Sequential):
    """Batch normalisation of the batch."""

    def __init__(self) -> None:
        layers = [m for _ in range(8) for m in (nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU())]
        super().__init__(*layers, nn.Linear(256, 10))


class Gates(nn.Module):
    """Gates written by hand, and a swish."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(256, 256), nn.Linear(256, 512), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x) * 3
        x = x * torch.sigmoid(1.702 * x)
        value, gate = self.second(x).chunk(2, dim=-1)
        return self.head(value * torch.sigmoid(gate))


@pytest.mark.parametrize(
    ("build", "shape", "limit"),
    [
        (Plain, (64, 512), 0.05),
        (Convolutions, (32, 3, 20, 20), 0.1),
        (Residual, (32, 64), 0.1),
        (Normalised, (64, 256), 0.1),
        (Gates, (64, 256), 0.1),
    ],
    ids=["plain", "convolutions", "residual", "normalised", "gates"],
)
def test_a_prediction_is_what_a_pass_measures(build: type[nn.Module], shape: tuple[int, ...], limit: float) -> None:
    found = over_draws(build, shape)
    assert found["variance"] < limit, found
    assert found["gradient"] < limit, found
    assert found["active"] < 0.03, found
