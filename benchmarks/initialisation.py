"""What initialisation does to deep networks without normalisation: ``python -m benchmarks.initialisation``.

First gradients: their norm at the first layer's pre-activations over that at the last hidden layer's, in a network of
50 linear layers and one of 30 convolutions. Then training: 30 linear layers beside 3, on pictures of clothes, each with
the better of two learning rates on the first seed. Seeds set weights and the order of the pictures.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from benchmarks.record import RESULTS, save
from benchmarks.tables import show
from limen.demo.data import Pictures, load

FUNCTIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "elu": nn.ELU,
    "mish": nn.Mish,
    "sigmoid": nn.Sigmoid,
}
WAYS: dict[str, dict[str, Any] | None] = {
    "torch": None,
    "variance": {"mode": "variance"},
    "critical": {"mode": "critical"},
    "critical, orthogonal": {"mode": "critical", "distribution": "orthogonal"},
}
SHALLOW, DEEP = 3, 30
HEADS = [(SHALLOW, "torch"), *((DEEP, way) for way in WAYS)]
LINEAR, CONVOLUTIONS = "50 linear layers", "30 convolutions"
RATES = (0.01, 0.003)
BATCH = 128


@dataclass(frozen=True)
class Gradient:
    """Ratios of gradient norms, first layer to last, one for each seed."""

    network: str
    function: str
    way: str
    ratios: list[float]


@dataclass(frozen=True)
class Training:
    """Accuracies on pictures that were not trained on, one for each seed."""

    layers: int
    function: str
    way: str
    rate: float
    epochs: int
    accuracies: list[float]


def perceptron(function: str, layers: int, inputs: int = 784, width: int = 128) -> nn.Sequential:
    sizes = [inputs, *[width] * (layers - 1)]
    hidden = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), FUNCTIONS[function]())]
    return nn.Sequential(*hidden, nn.Linear(width, 10))


def convolutions(function: str, layers: int, channels: int = 48) -> nn.Sequential:
    sizes = [3, *[channels] * layers]
    hidden = [m for a, b in pairwise(sizes) for m in (nn.Conv2d(a, b, 3, padding=1), FUNCTIONS[function]())]
    return nn.Sequential(*hidden, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def begin(model: nn.Module, sample: Tensor, way: str, seed: int) -> None:
    """Initialise; torch's own defaults were drawn when the model was built."""
    options = WAYS[way]
    if options is not None:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            limen.init_(model, sample, generator=torch.Generator().manual_seed(seed), **options)


def gradient_ratio(model: nn.Sequential, x: Tensor) -> float:
    """In double precision, so that torch's defaults are seen and not rounded away."""
    model, x = model.double(), x.double()
    found: list[Tensor] = []
    for layer in model:
        x = layer(x)
        if isinstance(layer, nn.Linear | nn.Conv2d):
            x.retain_grad()
            found.append(x)
    F.cross_entropy(x, torch.arange(len(x)) % 10).backward()
    first, last = found[0].grad, found[-2].grad
    assert first is not None
    assert last is not None
    return float(first.norm() / last.norm())


def gradients(network: str, function: str, seeds: int) -> list[Gradient]:
    """Every way to begin, on one network."""
    torch.set_num_threads(1)
    rows: list[Gradient] = []
    for way in WAYS:
        ratios: list[float] = []
        for seed in range(seeds):
            torch.manual_seed(seed)
            if network == CONVOLUTIONS:
                model, x = convolutions(function, 30), torch.randn(8, 3, 12, 12)
            else:
                model, x = perceptron(function, 51, 256, 256), torch.randn(64, 256)
            begin(model, x, way, seed)
            ratios.append(gradient_ratio(model, x))
        rows.append(Gradient(network, function, way, ratios))
    return rows


def accuracy(pictures: Pictures, model: nn.Module, rate: float, epochs: int, seed: int) -> float:
    """After training with SGD and momentum 0.9; 0.1 for a loss that is no longer finite."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    for _ in range(epochs):
        for batch in torch.randperm(len(pictures.train), generator=generator).split(BATCH):
            optimiser.zero_grad()
            loss = F.cross_entropy(model(pictures.train[batch]), pictures.train_labels[batch])
            if not bool(torch.isfinite(loss)):
                return 0.1
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        return float((model(pictures.test).argmax(1) == pictures.test_labels).float().mean())


@cache
def pictures() -> Pictures:
    """With mean 0 and variance 1."""
    raw = load("fashion-mnist")
    centre, spread = raw.train.mean(), raw.train.std()
    train, test = (raw.train - centre) / spread, (raw.test - centre) / spread
    return Pictures(raw.title, train, raw.train_labels, test, raw.test_labels)


def begun(function: str, layers: int, way: str, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    model = perceptron(function, layers)
    begin(model, pictures().train[:256], way, seed)
    return model


def trainings(function: str, seeds: int, epochs: int) -> list[Training]:
    """Every way to begin; one that gives the same weights as the one before is not trained again."""
    torch.set_num_threads(1)
    rows: list[Training] = []
    for layers, way in HEADS:
        same = rows and rows[-1].layers == layers and alike(function, layers, way, rows[-1].way)
        if same:
            rows.append(replace(rows[-1], way=way))
            continue

        def trained(rate: float, seed: int, layers: int = layers, way: str = way) -> float:
            return accuracy(pictures(), begun(function, layers, way, seed), rate, epochs, seed)

        first = {rate: trained(rate, 0) for rate in RATES}
        rate = max(first, key=lambda each: first[each])
        rest = [trained(rate, seed) for seed in range(1, seeds)]
        rows.append(Training(layers, function, way, rate, epochs, [first[rate], *rest]))
        print(f"{function}, {layers} layers, {way}: {accuracies_text(rows[-1].accuracies)}", flush=True)
    return rows


def alike(function: str, layers: int, way: str, other: str) -> bool:
    left, right = (begun(function, layers, each, 0).parameters() for each in (way, other))
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def tell(rows: Sequence[Gradient | Training]) -> None:
    """Both tables."""
    gradient = {(one.network, one.function, one.way): one.ratios for one in rows if isinstance(one, Gradient)}
    for network in dict.fromkeys(key[0] for key in gradient):
        lines = [[function, *(ratios_text(gradient[network, function, way]) for way in WAYS)] for function in FUNCTIONS]
        show(f"gradient norm, first layer to last, {network}: median (least to most)", ["function", *WAYS], lines)
    trained = {(one.function, one.layers, one.way): one for one in rows if isinstance(one, Training)}
    if trained:
        lines = [
            [function, *(accuracies_text(trained[function, *head].accuracies) for head in HEADS)]
            for function in FUNCTIONS
        ]
        columns = ["function", *(f"{layers} layers, {way}" for layers, way in HEADS)]
        show("accuracy on pictures of clothes, mean (least to most)", columns, lines)


def ratios_text(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2g} ({min(ratios):.2g} to {max(ratios):.2g})"


def accuracies_text(found: Sequence[float]) -> str:
    return f"{100 * statistics.mean(found):.1f} ({100 * min(found):.1f} to {100 * max(found):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args()
    pictures()  # before anything is computed, for they may be missing
    with ProcessPoolExecutor(options.workers) as pool:
        asked = [
            pool.submit(gradients, network, name, options.seeds)
            for network in (LINEAR, CONVOLUTIONS)
            for name in FUNCTIONS
        ]
        asked += [pool.submit(trainings, name, options.seeds, options.epochs) for name in FUNCTIONS]
        rows = [row for each in asked for row in each.result()]
    save(RESULTS / "initialisation.json", rows, ["torch", "numpy"])
    tell(rows)


if __name__ == "__main__":
    main()
