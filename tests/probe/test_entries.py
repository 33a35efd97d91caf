"""Samples and inputs are those of the batches that enter a model, however it is called."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from limen.vitals import Vitals
from tests.probe.stories import same_training

STEPS, SAMPLES = 3, 12


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 8)

    def forward(self, pixels: Tensor, labels: Tensor | None = None, **more: Tensor) -> Tensor:
        return self.body(pixels).relu().sum()


class Halves(nn.Module):
    """Its parts are called one by one, as in the `training_step` of a Lightning module."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU()), nn.Linear(8, 6)

    def loss(self, x: Tensor) -> Tensor:
        return (self.decoder(self.encoder(x)) - x).square().mean()


def vitals_of(case: str) -> tuple[Vitals, list[Tensor]]:
    batches: list[Tensor] = []

    def story() -> Iterator[Tensor]:
        model = Halves() if case == "in parts" else Named()
        optimiser = torch.optim.SGD(model.parameters(), 0.01)
        batches.clear()
        for _ in range(STEPS):
            x = torch.randn(SAMPLES, 6) * 3
            batches.append(x)
            optimiser.zero_grad()
            if isinstance(model, Halves):
                loss = model.loss(x)
            elif case == "by keyword":
                loss = model(more=torch.ones(2), labels=torch.full((SAMPLES,), 9.0), pixels=x)
            else:
                loss = model(x, labels=torch.full((SAMPLES,), 9.0))
            loss.backward()
            optimiser.step()
            yield from model.parameters()

    return same_training(story).vitals(), batches


@pytest.mark.parametrize("case", ["by place", "by keyword", "in parts"])
def test_samples_and_inputs_are_those_of_the_batches(case: str) -> None:
    vitals, batches = vitals_of(case)
    every = torch.cat(batches).double()
    assert vitals.samples == STEPS * SAMPLES
    assert vitals.inputs is not None
    assert vitals.inputs.mean == pytest.approx(every.mean().item())
    assert vitals.inputs.std == pytest.approx(every.std(correction=0).item())


def test_modules_made_anew_in_each_forward_pass_are_one_site() -> None:
    class Fleeting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return nn.ReLU()(self.second(nn.ReLU()(self.first(x))))

    def story() -> Iterator[Tensor]:
        model = Fleeting()
        optimiser = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(6):
            optimiser.zero_grad()
            model(torch.randn(SAMPLES, 6)).sum().backward()
            optimiser.step()
            yield from model.parameters()

    sites = same_training(story).vitals().sites
    assert [(site.site.layer, site.total.samples) for site in sites] == [("first", 72), ("second", 72)]
