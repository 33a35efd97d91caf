"""Hundreds of watches one after another leave nothing behind, and none keeps what a step computed."""

import gc
import os
import resource
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.optim import optimizer as optimisers

import limen

WATCHES = 300
GLOBAL_HOOKS = [name for name in vars(hooks) if name.startswith("_global_") and "hooks" in name]


def train(steps: int = 2) -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
    optimiser = torch.optim.AdamW(model.parameters())
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(model(torch.randn(16, 6)), torch.randint(3, (16,))).backward()
        optimiser.step()


def left_in_torch() -> dict[str, Any]:
    """Everything of torch's and python's that a watch touches."""
    machinery = sys.modules.get("torch._dynamo.output_graph")
    return {
        "patched": [
            getattr(owner, name)
            for owner, name in ((torch, "compile"), (Tensor, "backward"), (torch.autograd, "backward"))
        ],
        "grad": torch.autograd.grad,
        "machinery": machinery and machinery.OutputGraph.call_user_compiler,
        "hooks": {name: len(getattr(hooks, name)) for name in GLOBAL_HOOKS if hasattr(getattr(hooks, name), "__len__")},
        "optimiser hooks": (len(optimisers._global_optimizer_pre_hooks), len(optimisers._global_optimizer_post_hooks)),
        "modes": torch.overrides._get_current_function_mode_stack(),
        "filters": list(warnings.filters),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0,
    }


def live() -> dict[str, int]:
    """How many objects of the kinds that could pile up there are."""
    gc.collect()
    everything = gc.get_objects()
    counts = {"tensors": 0, "modules": 0, "limen": 0, "all": len(everything)}
    for thing in everything:
        kind = type(thing)
        counts["tensors"] += issubclass(kind, Tensor)
        counts["modules"] += issubclass(kind, nn.Module)
        counts["limen"] += str(kind.__module__).startswith("limen.")
    return counts


def resident() -> int:
    """Bytes of memory in use now; where the system does not tell, the most there ever was."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def watch_once(number: int) -> None:
    """A watch that ends in one of the ways in which watches end."""
    try:
        with limen.watch() as w:
            train()
            if number % 3 == 1:
                raise ArithmeticError
            if number % 3 == 2:
                w.close()
    except ArithmeticError:
        pass


def test_hundreds_of_watches_leave_nothing_behind() -> None:
    for number in range(60):
        watch_once(number)
    before, objects, memory = left_in_torch(), live(), resident()
    for number in range(WATCHES):
        watch_once(number)
    assert left_in_torch() == before
    grown = {kind: count - objects[kind] for kind, count in live().items()}
    assert grown.pop("all") < WATCHES / 3  # torch and python enter something in a table of theirs now and then
    assert grown == {"tensors": 0, "modules": 0, "limen": 0}
    assert resident() - memory < WATCHES * 30_000  # an allocator keeps some that it was given back


def test_forking_does_not_grow_slower_with_each_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    watch_once(0)
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **given: asked.append(given))
    for number in range(3):
        watch_once(number)
    assert asked == []  # what is registered stays for good: once a process is enough


@pytest.fixture
def watched() -> Iterator[limen.watch]:
    with limen.watch(budget=None, strict=True) as w:
        yield w


class Token:
    """Lives as long as the graph node that it is tied to: torch has no weak references to nodes."""

    def hear(self, *gradients: object) -> None:
        pass


class Remembered(nn.Module):
    """Knows the tensors and graph nodes that came through it, without keeping them."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.act, self.seen = act, list[weakref.ref[Any]]()

    def forward(self, z: Tensor) -> Tensor:
        result, token = self.act(z), Token()
        result.grad_fn.register_hook(token.hear)
        self.seen += [weakref.ref(z), weakref.ref(result), weakref.ref(token)]
        return result


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("act", [nn.ReLU(), nn.ReLU(inplace=True), nn.GELU(), nn.Sigmoid()], ids=repr)
def test_activations_and_graphs_die_with_their_step(act: nn.Module) -> None:
    one, two = Remembered(act), Remembered(act)
    model = nn.Sequential(nn.Linear(6, 8), one, nn.BatchNorm1d(8), two, nn.Linear(8, 3))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    gc.disable()  # what dies must die at once: memory of activations cannot wait for the collector
    try:
        for _ in range(5):
            optimiser.zero_grad()
            loss = F.cross_entropy(model(torch.randn(16, 6)), torch.randint(3, (16,)))
            loss.backward()
            del loss
            for layer in (one, two):
                assert [held() for held in layer.seen] == [None] * len(layer.seen)
            optimiser.step()
    finally:
        gc.enable()


@pytest.mark.usefixtures("watched")
def test_a_rehearsal_of_the_forward_pass_dies_before_the_next_one() -> None:
    layer = Remembered(nn.Tanh())
    model = nn.Sequential(nn.Linear(6, 8), layer, nn.Linear(8, 3))
    alive: list[list[bool]] = []
    model[0].register_forward_pre_hook(lambda *_: alive.append([held() is not None for held in layer.seen]))
    gc.disable()
    try:
        for _ in range(4):
            model(torch.randn(16, 6))
    finally:
        gc.enable()
    assert alive == [[False] * 3 * number for number in range(4)]


@pytest.mark.usefixtures("watched")
def test_models_and_optimisers_die_when_the_script_drops_them() -> None:
    kept: list[weakref.ref[Any]] = []
    for _ in range(5):
        model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
        optimiser = torch.optim.Adam(model.parameters())
        for _ in range(3):
            optimiser.zero_grad()
            model(torch.randn(4, 6)).sum().backward()
            optimiser.step()
        kept += [weakref.ref(model), weakref.ref(optimiser), weakref.ref(model[0].weight)]
    del model, optimiser
    gc.collect()
    alive = [number // 3 for number, held in enumerate(kept) if held() is not None]
    assert set(alive) <= {4}  # of the last, the weights may still be known
