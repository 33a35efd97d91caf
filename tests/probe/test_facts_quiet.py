"""Sound nets of many kinds, trained for real: no cause is seen in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limen.findings import diagnose
from tests.probe.watching import watching

STEPS = 24  # the first examination is at 20


class Block(nn.Module):
    """Convolutions with batch normalisation and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.norm1, self.norm2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.two(F.relu(self.norm1(self.one(x))))))


class Words(nn.Module):
    """An LSTM whose forget gates begin open."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.lstm, self.fc = nn.Embedding(20, 16), nn.LSTM(16, 16, batch_first=True), nn.Linear(16, 4)
        nn.init.constant_(self.lstm.get_parameter("bias_ih_l0")[16:32], 2.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[0][:, -1])


def residual() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3), *(Block() for _ in range(8)), nn.Flatten(), nn.Linear(8 * 36, 4))


def frozen_statistics() -> nn.Module:
    """Batch normalisation that was trained before and rests."""
    model = residual()
    with torch.no_grad():
        for _ in range(4):
            model(pictures())
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()
    return model


def separable() -> nn.Module:
    parts = [
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.ReLU6())
        for _ in range(3)
    ]
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, batch_first=True, norm_first=True)
    body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return nn.Sequential(nn.Embedding(20, 16), body, nn.Flatten(), nn.Linear(16 * 6, 4))


def dropped() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 4),
    )  # fmt: skip


def pictures() -> Tensor:
    return torch.randn(16, 1, 8, 8)


def sentences() -> Tensor:
    return torch.randint(0, 20, (16, 6))


SOUND: dict[str, tuple[Callable[[], nn.Module], Callable[[], Tensor]]] = {
    "residual": (residual, pictures),
    "frozen statistics": (frozen_statistics, pictures),
    "separable": (separable, pictures),
    "transformer": (transformer, sentences),
    "lstm": (Words, sentences),
    "dropout": (dropped, pictures),
}


@pytest.mark.parametrize("name", SOUND)
def test_no_cause_is_seen_in_a_sound_net(name: str) -> None:
    torch.manual_seed(0)
    make, data = SOUND[name]
    model = make()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watching(model) as probe:
        for _ in range(STEPS):
            optimiser.zero_grad()
            F.cross_entropy(model(data()), torch.randint(0, 4, (16,))).backward()
            optimiser.step()
        assert [one.name for one in diagnose(probe.vitals()) if one.symptom is None] == []
