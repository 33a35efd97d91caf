"""One model with what it is called with and trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limen.preflight import Preflight, preflight

__all__ = ["Case", "classes", "image", "tokens"]


@dataclass(frozen=True)
class Case:
    name: str
    model: Callable[[], nn.Module]
    sample: Callable[[], Any]
    loss: Any = None
    target: Callable[[], Any] | None = None
    optimiser: Callable[[nn.Module], torch.optim.Optimizer] | None = lambda model: torch.optim.AdamW(
        model.parameters(), lr=1e-3
    )

    def check(self, edit: Callable[[nn.Module], Any] | None = None, **changes: Any) -> Preflight:
        """Build it with a seed, edit it, and check it."""
        torch.manual_seed(0)
        model = self.model()
        if edit is not None:
            edit(model)
        optimiser = changes.get("optimiser", self.optimiser)
        sample, target = changes.get("sample", self.sample), changes.get("target", self.target)
        return preflight(
            model,
            sample(),
            loss=changes.get("loss", self.loss),
            target=target() if target is not None else None,
            optimizer=optimiser(model) if optimiser is not None else None,
        )


def image(batch: int = 4, channels: int = 3, side: int = 32) -> Callable[[], Tensor]:
    return lambda: torch.randn(batch, channels, side, side)


def tokens(batch: int = 4, length: int = 12, below: int = 50) -> Callable[[], Tensor]:
    return lambda: torch.randint(0, below, (batch, length))


def classes(below: int, *shape: int) -> Callable[[], Tensor]:
    return lambda: torch.randint(0, below, shape)
