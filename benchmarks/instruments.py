"""What is measured: limen, and the ways of watching that need nothing but torch. All look at every step they can."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

import limen.probe.budget
import limen.probe.habit
from benchmarks.trainings import Training
from limen.watch import Watch

__all__ = [
    "BUDGETS",
    "WARM_UP",
    "Instrument",
    "Running",
    "activations",
    "as_used",
    "bare",
    "gradient_histograms",
    "histc",
    "naive",
    "watched",
]

ACTIVATIONS = nn.ReLU, nn.GELU
BINS = 64
WARM_UP = 3  # steps; the first ones also make the optimiser's state and find the sites
LATE = 2_000  # a step at which histograms have become as rare as they are in most of a training
BUDGETS: dict[str, float | None] = {"every-step": None, "default": 0.01, "idle": 1e-9}

Step = Callable[[], None]


@dataclass(frozen=True)
class Running:
    """A training under an instrument.

    Attributes:
        step: one step of it.
        inside: seconds that the instrument says it has taken so far; None where it keeps no account.
        settle: takes it from its first steps to those of most of a training.
    """

    step: Step
    inside: Callable[[], float] | None = None
    settle: Callable[[], None] = lambda: None


Instrument = Callable[[Training], AbstractContextManager[Running]]


def activations(model: nn.Module) -> dict[str, nn.Module]:
    """By name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, ACTIVATIONS)}


@contextmanager
def bare(training: Training) -> Generator[Running]:
    yield Running(training.step)


def watched(mode: str) -> Instrument:
    """Limen as it is after its first steps, which are always looked at, with no seconds free of charge.

    What is dense or free in the beginning would hide what the share costs: so the dense steps end as it settles, and
    their debt is struck off.
    """

    @contextmanager
    def instrument(training: Training) -> Generator[Running]:
        share = BUDGETS[mode]
        limen.probe.budget.DENSE_STEPS = LATE + 2
        limen.probe.habit.LEARNT = WARM_UP
        with Watch((training.model,), budget=share, allowance=0.0) as watch:
            account, probe = watch._budget, watch._probe  # pyright: ignore[reportPrivateUsage]
            assert probe is not None

            def settle() -> None:
                probe.step = probe._eyes.habit.looks = LATE  # pyright: ignore[reportPrivateUsage]
                training.step()  # with the diagnosis and the histograms that were due in between
                before = account.spent
                training.step()
                account._look = account.spent - before  # pyright: ignore[reportPrivateUsage]
                account.spent, account._next = (share or 0.0) * probe.seconds, 0  # pyright: ignore[reportPrivateUsage]

            yield Running(training.step, lambda: account.spent, settle)

    return instrument


@contextmanager
def as_used(training: Training) -> Generator[Running]:
    """Limen with its defaults, from the first step on."""
    with Watch((training.model,)) as watch:
        account = watch._budget  # pyright: ignore[reportPrivateUsage]
        yield Running(training.step, lambda: account.spent)


@contextmanager
def naive(training: Training) -> Generator[Running]:
    """What one writes first: five statistics of each unit in a forward hook."""
    kept: dict[nn.Module, tuple[Tensor, ...]] = {}

    def hook(module: nn.Module, args: tuple[Tensor, ...], y: Tensor) -> None:
        y, over = y.detach(), (0, 2, 3) if y.ndim == 4 else tuple(range(y.ndim - 1))
        kept[module] = torch.count_nonzero(y, over), y.mean(over), y.std(over), y.amin(over), y.amax(over)

    for module in activations(training.model).values():
        module.register_forward_hook(hook)
    yield Running(training.step)


@contextmanager
def histc(training: Training) -> Generator[Running]:
    """``torch.histc`` of each activation and of each parameter's gradient."""
    kept: dict[object, Tensor] = {}

    def hook(module: nn.Module, args: tuple[Tensor, ...], y: Tensor) -> None:
        kept[module] = torch.histc(y.detach(), BINS)

    def read(key: Tensor, gradient: Tensor) -> None:
        kept[key] = torch.histc(gradient, BINS)

    for module in activations(training.model).values():
        module.register_forward_hook(hook)
    for parameter in training.model.parameters():
        parameter.register_hook(partial(read, parameter))
    yield Running(training.step)


@contextmanager
def gradient_histograms(training: Training) -> Generator[Running]:
    """Each parameter's gradient as ``wandb.watch(log="gradients")`` reads it; wandb's own default is rarer."""
    kept: dict[Tensor, tuple[list[float], list[float]]] = {}

    def read(key: Tensor, gradient: Tensor) -> None:
        flat = gradient.reshape(-1)
        if not torch.isfinite(flat).any():
            return
        if not torch.isfinite(flat).all():
            flat = flat[torch.isfinite(flat)]
        low, high = flat.min().item(), flat.max().item()
        counts = flat.histc(BINS, min=low, max=high).cpu().detach().clone()
        kept[key] = counts.tolist(), torch.linspace(low, high, BINS + 1).tolist()

    for parameter in training.model.parameters():
        parameter.register_hook(partial(read, parameter))
    yield Running(training.step)
