"""What ``limen.theory.predict`` says of deep networks against what they do: ``python -m benchmarks.prediction``.

Networks of 30 layers of 1,024 units, ten activations, four initialisations, a batch of 64 normal inputs, ten draws of
the weights each. Of each site the relative error of the variance of its pre-activation and of the norm of its gradient
is taken, its median over the draws, and of that the median and the largest over the sites. Then the time for a network
of 100 layers.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmarks.record import RESULTS, save
from benchmarks.tables import per_cent, show
from limen import theory
from limen.theory import Prediction, predict

FUNCTIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
}
INITIALISATIONS = "he", "xavier", "critical", "default"
SAMPLES = 64
TINY = 1e-30
"""Variances and mean squares of gradients below this are beyond single precision, in which the networks run."""
COLUMNS = (
    "activation",
    "initialisation",
    "σ_w²",
    "σ_b²",
    "variance %",
    "worst %",
    "gradient %",
    "worst %",
    "out of reach",
)


@dataclass(frozen=True)
class Row:
    """One activation with one initialisation.

    Attributes:
        weight_variance: variance of the weights times ``fan_in``.
        bias_variance: variance of the biases.
        variance: relative error, median over the draws, then over the sites.
        worst_variance: the same at the worst site.
        gradient: relative error of the gradient norm, likewise.
        worst_gradient: the same at the worst site.
        unreached: share of sites at which single precision has no digits left to measure.
        factors: predicted and measured, geometric mean per layer: forward, of the variance, then backward, of the norm.
    """

    activation: str
    initialisation: str
    weight_variance: float
    bias_variance: float
    variance: float
    worst_variance: float
    gradient: float
    worst_gradient: float
    unreached: float
    factors: tuple[float, float, float, float]


@dataclass(frozen=True)
class Time:
    """What a prediction takes.

    Attributes:
        layers: of the network.
        width: of each.
        seconds: smallest of several, without the measured pass.
        with_measured: the same with it.
    """

    layers: int
    width: int
    seconds: float
    with_measured: float


def variances(name: str, initialisation: str) -> tuple[float, float]:
    """Variance of a weight times ``fan_in`` and of a bias."""
    if initialisation == "he":
        return 2.0, 0.0
    if initialisation == "xavier":
        return 1.0, 0.0
    if initialisation == "default":
        return 1 / 3, math.nan  # biases uniform in ±1/sqrt(fan_in)
    points = [*theory.half_stable_points(name), *theory.edge_of_chaos(name)]
    best = next((point for point in points if point.stability != "repels"), None)
    return (theory.forward_gain(name) ** 2, 0.0) if best is None else (best.weight_variance, best.bias_variance)


def network(name: str, initialisation: str, *, layers: int = 30, width: int = 1024) -> nn.Sequential:
    """Layers of one width with an activation behind each, and ten outputs."""
    weight, bias = variances(name, initialisation)
    stack: list[nn.Module] = []
    for _ in range(layers):
        linear = nn.Linear(width, width)
        if not math.isnan(bias):
            nn.init.normal_(linear.weight, std=math.sqrt(weight / width))
            nn.init.normal_(linear.bias, std=math.sqrt(bias))
        stack += [linear, FUNCTIONS[name]()]
    return nn.Sequential(*stack, nn.Linear(width, 10))


def deviations(found: Prediction) -> list[tuple[float, float] | None]:
    """Of each site the relative errors of variance and gradient; None where single precision is at its end."""
    errors: list[tuple[float, float] | None] = []
    for site in found.sites:
        seen = site.measured
        elements = site.units * SAMPLES
        if seen is None or min(site.variance, seen.variance, site.gradient**2 / elements) < TINY:
            errors.append(None)
        else:
            errors.append((abs(site.variance / seen.variance - 1), abs(site.gradient / seen.gradient - 1)))
    return errors


def measure(name: str, initialisation: str, draws: int) -> Row:
    """One row of the grid."""
    found: list[Prediction] = []
    for seed in range(draws):
        torch.manual_seed(seed)
        found.append(predict(network(name, initialisation), torch.randn(SAMPLES, 1024)))
    sites = list(zip(*map(deviations, found), strict=True))
    seen = [[one for one in site if one is not None] for site in sites]
    by_site = [[statistics.median(one[which] for one in site) for site in seen if site] for which in (0, 1)]
    first = found[0]
    measured = [site.measured for site in first.sites if site.measured]
    count = len(measured) - 1
    factors = (
        first.forward_factor,
        (measured[-1].variance / measured[0].variance) ** (1 / count),
        first.backward_factor,
        (measured[0].gradient / measured[-1].gradient) ** (1 / count),
    )
    weight, bias = variances(name, initialisation)
    return Row(
        name,
        initialisation,
        weight,
        1 / 3 / 1024 if math.isnan(bias) else bias,
        statistics.median(by_site[0]),
        max(by_site[0]),
        statistics.median(by_site[1]),
        max(by_site[1]),
        sum(not site for site in seen) / len(seen),
        factors,
    )


def take_time(layers: int = 100, width: int = 1024, repeats: int = 3) -> Time:
    """How long a prediction of a deep network takes."""
    model, sample = network("relu", "he", layers=layers, width=width), torch.randn(SAMPLES, width)
    taken: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(repeats):
        for measured, times in taken.items():
            start = time.perf_counter()
            predict(model, sample, measure=measured)
            times.append(time.perf_counter() - start)
    return Time(layers, width, min(taken[False]), min(taken[True]))


def cells(row: Row) -> tuple[str, ...]:
    shares = (row.variance, row.worst_variance, row.gradient, row.worst_gradient, row.unreached)
    return (
        row.activation,
        row.initialisation,
        f"{row.weight_variance:.3g}",
        f"{row.bias_variance:.3g}",
        *map(per_cent, shares),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how exact predictions of deep networks are.")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--activations", nargs="+", default=list(FUNCTIONS), choices=list(FUNCTIONS))
    parser.add_argument("--initialisations", nargs="+", default=list(INITIALISATIONS), choices=INITIALISATIONS)
    parser.add_argument("--output", type=Path, default=RESULTS / "prediction.json")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.activations:
        for initialisation in options.initialisations:
            rows.append(measure(name, initialisation, options.draws))
            print(*cells(rows[-1]), sep="  ", flush=True)
    took = take_time()
    show(f"30 layers of 1,024 units, {options.draws} draws", COLUMNS, [cells(row) for row in rows])
    print(
        f"{took.layers} layers of {took.width}: {took.seconds:.2f} s, {took.with_measured:.2f} s with the measured pass"
    )
    save(options.output, [*rows, took])
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
