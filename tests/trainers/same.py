"""A training told twice, bare and watched: the same bits, and what the watch has seen."""

import gc
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.modules import module as hooks
from torch.optim import optimizer as optimisers

import limen
from tests.probe.watching import bits


class Told(NamedTuple):
    """What a training made.

    Attributes:
        weights: all that it trained.
        losses: of each forward pass, as the script saw them.
        rates: the learning rate of each optimiser step.
    """

    weights: list[Tensor]
    losses: list[float]
    rates: list[float]


def same(train: Callable[[], Told]) -> tuple[Told, limen.Watch]:
    """What a training made, and the watch over it, which took everything away at its end and raised no alarm."""
    torch.manual_seed(5)
    bare = train()
    expected = bits(bare.weights), bare.losses, bare.rates
    before = taps()
    torch.manual_seed(5)
    with limen.watch(budget=None, strict=True) as watch:
        told = train()
    assert (bits(told.weights), told.losses, told.rates) == expected
    assert taps() == before
    assert [finding.message for finding in watch.findings if finding.severity != "info"] == []
    assert watch.vitals.notes == ()
    gc.collect()  # trainers hold each other in circles
    return told, watch


def taps() -> list[object]:
    """All that a watch replaces or hangs up."""
    hung = [
        hooks._global_forward_hooks, hooks._global_forward_pre_hooks,
        optimisers._global_optimizer_pre_hooks, optimisers._global_optimizer_post_hooks,
    ]  # fmt: skip
    stack = torch.overrides._get_current_function_mode_stack()
    return [*map(dict, hung), stack, Tensor.backward, torch.autograd.backward, torch.amp.GradScaler.scale]


def seen(watch: limen.Watch) -> list[tuple[str, str | None, str, int]]:
    """Sites as ``(name, layer, model, units)``."""
    sites = (site.site for site in watch.vitals.sites)
    return [(site.name, site.layer, site.model, site.units) for site in sites]


def means(losses: list[float], size: int) -> list[float]:
    """The losses of steps of ``size`` passes each; the last step may have fewer."""
    groups = [losses[first : first + size] for first in range(0, len(losses), size)]
    return [sum(group) / len(group) for group in groups]
