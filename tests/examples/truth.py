"""What really happens in an example, recorded with a plain module hook and nothing of limen's."""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

ACTIVATIONS = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU, nn.LeakyReLU)
WINDOW = 1_280  # samples of silence after which a unit counts as dead here: 20 batches of 64


def steepest(module: nn.Module) -> float:
    """The largest slope of an activation, found on a grid by autograd."""
    grid = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
    return slope(module, grid).abs().max().item()


def slope(module: nn.Module, z: Tensor) -> Tensor:
    with torch.enable_grad():
        z = z.detach().clone().requires_grad_()
        return torch.autograd.grad(module(z).sum(), z)[0]


@dataclass
class Seen:
    """What the units of one activation module did in training steps.

    ``flat`` counts, per unit, the samples with a slope below 1 % of the steepest; ``silence`` those since the last
    that was not; ``zeros`` all outputs that were exactly zero; ``gradient`` is the norm at the input in each step.
    """

    function: str
    steepest: float
    flat: Tensor
    silence: Tensor
    samples: int = 0
    zeros: int = 0
    gradient: list[float] = field(default_factory=list)

    def add(self, z: Tensor, y: Tensor, slopes: Tensor) -> None:
        flat = slopes.abs() < 0.01 * self.steepest
        for row in flat:
            self.silence = torch.where(row, self.silence + 1, 0)
        self.flat += flat.sum(0)
        self.zeros += int((y == 0).sum())
        self.samples += len(z)
        if z.requires_grad:
            z.register_hook(lambda g: self.gradient.append(g.norm().item()))

    @property
    def units(self) -> int:
        return len(self.flat)

    @property
    def dead(self) -> int:
        """Units flat on each of the last ``WINDOW`` samples or more."""
        return int((self.silence >= WINDOW).sum())

    @property
    def never_active(self) -> int:
        return int((self.flat == self.samples).sum())

    @property
    def mostly_flat(self) -> int:
        """Units flat on 95 % of all samples."""
        return int((self.flat >= 0.95 * self.samples).sum())

    @property
    def zero_share(self) -> float:
        return self.zeros / (self.samples * self.units)


@dataclass(frozen=True)
class Truth:
    """What one script did: its activation modules in the order of their first call, and the accuracy it printed."""

    seen: tuple[Seen, ...]
    accuracy: float


def measure(script: Path) -> Truth:
    """Run a script in this process and record it."""
    seen: dict[nn.Module, Seen] = {}
    busy = [False]

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if busy[0] or not isinstance(module, ACTIVATIONS) or not torch.is_grad_enabled():
            return
        busy[0] = True  # taking the slope calls the module again
        try:
            z = inputs[0]
            if module not in seen:
                nothing = torch.zeros(z.shape[-1], dtype=torch.long)
                seen[module] = Seen(type(module).__name__, steepest(module), nothing, nothing.clone())
            seen[module].add(z, output, slope(module, z))
        finally:
            busy[0] = False

    printed = io.StringIO()
    threads = torch.get_num_threads()
    handle = register_module_forward_hook(hook)
    try:
        with contextlib.redirect_stdout(printed), torch.random.fork_rng():
            runpy.run_path(str(script), run_name="__main__")
    finally:
        handle.remove()
        torch.set_num_threads(threads)
    return Truth(tuple(seen.values()), float(re.findall(r"accuracy ([\d.]+)", printed.getvalue())[-1]))


if __name__ == "__main__":
    for path in sys.argv[1:]:
        truth = measure(Path(path))
        print(path, "accuracy", truth.accuracy)
        for site in truth.seen:
            figures = ("units", "dead", "never_active", "mostly_flat", "zero_share")
            row = {"function": site.function} | {name: round(getattr(site, name), 3) for name in figures}
            print("  ", json.dumps(row), "gradient", site.gradient[:1], site.gradient[-1:])
