"""Trainings told step by step, so that one that goes wrong can be compared with itself under a watch."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from limen.probe import Probe
from tests.probe.watching import bits, watching

Story = Callable[[], Iterator[Tensor]]
"""A training that yields what it makes; what it raises ends it."""


def told(story: Story) -> tuple[list[bytes], str]:
    """The bits that a training made, and how it ended."""
    torch.manual_seed(11)
    made: list[Tensor] = []
    try:
        for tensor in story():
            made.append(tensor.detach().clone())
        return bits(made), ""
    except Exception as error:
        return bits(made), f"{type(error).__name__}: {error}"


def same_training(story: Story) -> Probe:
    """The probe of a training that went as it goes unwatched."""
    bare = told(story)
    with watching() as probe:
        assert told(story) == bare
    return probe


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))


def steps(model: nn.Module, batches: list[Tensor], rate: float = 0.1) -> Iterator[Tensor]:
    optimiser = torch.optim.SGD(model.parameters(), rate)
    for x in batches:
        optimiser.zero_grad()
        loss = model(x).float().square().mean()
        loss.backward()
        optimiser.step()
        yield loss
        yield from model.parameters()


def steps_of(forward: Callable[[], Tensor], *trained: Tensor) -> Iterator[Tensor]:
    optimiser = torch.optim.SGD(trained, 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        forward().square().sum().backward()
        optimiser.step()
        yield from trained
