"""The packages that limen is measured against, each at every step; ``benchmarks/requirements.txt`` lists them."""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count

from torch import Tensor, nn

from benchmarks.instruments import (
    Instrument,
    Running,
    activations,
    as_used,
    bare,
    gradient_histograms,
    histc,
    naive,
    watched,
)
from benchmarks.trainings import Training

# pyright: reportMissingImports=false

__all__ = ["INSTRUMENTS", "TITLES"]


@contextmanager
def tensorboard(training: Training) -> Generator[Running]:
    """``SummaryWriter.add_histogram`` of each activation and of each parameter's gradient."""
    from torch.utils.tensorboard.writer import SummaryWriter

    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
        steps = count()
        kept: dict[str, Tensor] = {}

        def keep(name: str, module: nn.Module, args: tuple[Tensor, ...], y: Tensor) -> None:
            kept[name] = y.detach()

        for name, module in activations(training.model).items():
            module.register_forward_hook(partial(keep, name))

        def step() -> None:
            training.step()
            number = next(steps)
            for name, values in kept.items():
                writer.add_histogram(f"activation/{name}", values, number)
            for name, parameter in training.model.named_parameters():
                writer.add_histogram(f"gradient/{name}", parameter.grad, number)

        yield Running(step)


@contextmanager
def delve(training: Training) -> Generator[Running]:
    """Its hooks; what it computes at the end of an epoch is not counted."""
    from delve import SaturationTracker

    with tempfile.TemporaryDirectory() as folder:
        device = str(training.inputs.device)
        tracker = SaturationTracker(folder, save_to="csv", modules=training.model, device=device)
        yield Running(training.step)
        del tracker


@contextmanager
def torchdiag(training: Training) -> Generator[Running]:
    """Its check of gradients and its check for dead units, which runs a forward pass of its own."""
    import torchdiag

    def step() -> None:
        training.step()
        torchdiag.check_gradients(training.model)
        torchdiag.check_dead_neurons(training.model, training.inputs)

    yield Running(step)


@contextmanager
def cockpit(training: Training) -> Generator[Running]:
    """Its cheapest configuration, ``economy``."""
    from backpack import extend
    from cockpit import Cockpit
    from cockpit.utils.configuration import configuration
    from cockpit.utils.schedules import linear

    model, optimiser = extend(training.model), training.optimiser
    mean, each = extend(nn.CrossEntropyLoss()), nn.CrossEntropyLoss(reduction="none")
    instruments = Cockpit(model.parameters(), quantities=configuration("economy", track_schedule=linear(1)))
    steps = count()

    def step() -> None:
        optimiser.zero_grad()
        result, target = model(training.inputs).flatten(0, -2), training.target.flatten()
        loss, number = mean(result, target), next(steps)
        losses = each(result, target)
        info = {"batch_size": len(target), "individual_losses": losses, "loss": loss, "optimizer": optimiser}
        with instruments(number, info=info):
            loss.backward(create_graph=instruments.create_graph(number))
        optimiser.step()

    yield Running(step)


for package in ("torch.utils.tensorboard", "delve", "torchdiag", "cockpit"):
    with (
        warnings.catch_warnings(action="ignore"),
        suppress(Exception),
    ):  # whatever is wrong with it is told by the process that needs it
        importlib.import_module(package)  # here, so that the processes need not import it one by one


INSTRUMENTS: dict[str, Instrument] = {
    "bare": bare, "again": bare, "as-used": as_used,
    "every-step": watched("every-step"), "default": watched("default"), "idle": watched("idle"),
    "naive": naive, "histc": histc, "gradients": gradient_histograms,
    "tensorboard": tensorboard, "delve": delve, "torchdiag": torchdiag, "cockpit": cockpit,
}  # fmt: skip

TITLES = {
    "bare": "bare",
    "again": "bare again (A/A)",
    "every-step": "limen, every step",
    "default": "limen, budget 1 %",
    "idle": "limen, looking away",
    "naive": "naive Python hooks",
    "histc": "torch.histc",
    "gradients": "like wandb.watch",
    "tensorboard": "TensorBoard",
    "delve": "delve",
    "torchdiag": "torchdiag",
    "cockpit": "cockpit",
}
