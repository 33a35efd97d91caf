"""The cases: sound trainings, the same with one fault each, and sound ones that tempt a tool to raise an alarm."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from limen.errors import UnknownName
from ward.faults import FAULTS, Fault
from ward.recipe import Recipe

__all__ = ["Case", "Half", "case", "cases"]

Half = Literal["tuning", "scored"]


@dataclass(frozen=True)
class Case:
    """One training and what is known of it.

    Attributes:
        name: unique; what ``ward.train`` is called with.
        base: name of the sound recipe that it comes from.
        fault: what is wrong with it; None for a sound one.
        recipe: how it is trained.
    """

    name: str
    base: str
    fault: Fault | None
    recipe: Recipe

    @property
    def half(self) -> Half:
        """Rules may be tuned on one half. The base decides, so that a fault and its sound twin stay together."""
        return "tuning" if digest(self.base)[0] % 2 else "scored"


CNN = Recipe(net="cnn", data="fashion", width=8, batch=32, steps=200)
TABLE = Recipe(data="diabetes", loss="mse", width=32, depth=2)

SOUND: dict[str, Recipe] = {
    "mlp digits relu": Recipe(),
    "mlp digits relu sgd": Recipe(optimiser="sgd", rate=0.1),
    "mlp digits relu momentum": Recipe(optimiser="momentum", rate=0.02),
    "mlp digits tanh": Recipe(activation="Tanh"),
    "mlp digits tanh sgd": Recipe(activation="Tanh", optimiser="sgd", rate=0.1),
    "mlp digits gelu": Recipe(activation="GELU", depth=3),
    "mlp digits silu": Recipe(activation="SiLU", depth=3),
    "mlp digits elu": Recipe(activation="ELU", optimiser="momentum", rate=0.01),
    "mlp digits selu": Recipe(activation="SELU", init="lecun"),
    "mlp digits mish": Recipe(activation="Mish"),
    "mlp digits leaky": Recipe(activation="LeakyReLU", depth=4, init="he"),
    "mlp digits hardswish": Recipe(activation="Hardswish", depth=3),
    "mlp digits sigmoid": Recipe(activation="Sigmoid", depth=1, rate=5e-3),
    "mlp digits softplus": Recipe(activation="Softplus"),
    "mlp digits he": Recipe(init="he", depth=4),
    "mlp digits batch norm": Recipe(norm="batch", depth=4),
    "mlp digits layer norm": Recipe(norm="layer", depth=4, activation="GELU"),
    "mlp digits residual": Recipe(skip=True, depth=6),
    "mlp digits dropout": Recipe(dropout=0.5, width=128),
    "mlp fashion relu": Recipe(data="fashion", width=128),
    "mlp fashion tanh momentum": Recipe(data="fashion", activation="Tanh", optimiser="momentum", rate=0.01),
    "mlp fashion gelu adamw": Recipe(
        data="fashion", activation="GELU", optimiser="adamw", width=128, weight_decay=0.05
    ),
    "mlp cancer relu": Recipe(data="cancer", width=32, batch=32),
    "mlp cancer tanh rmsprop": Recipe(data="cancer", width=32, activation="Tanh", optimiser="rmsprop"),
    "mlp wine relu": Recipe(data="wine", width=16, batch=16),
    "mlp iris tanh": Recipe(data="iris", width=8, activation="Tanh", batch=16, rate=1e-2),
    "mlp blob relu": Recipe(data="blob", width=16, depth=3, rate=5e-3),
    "mlp blob tanh": Recipe(data="blob", width=5, depth=5, activation="Tanh", rate=1e-2),
    "mlp circle relu": Recipe(data="circle", width=16, depth=3, rate=5e-3),
    "mlp circle sgd": Recipe(data="circle", width=32, depth=2, optimiser="sgd", rate=0.3),
    "mlp diabetes relu": TABLE,
    "mlp diabetes relu sgd": replace(TABLE, optimiser="sgd", rate=0.05),
    "mlp diabetes tanh": replace(TABLE, activation="Tanh", batch=32),
    "mlp diabetes gelu l1": replace(TABLE, activation="GELU", loss="l1"),
    "mlp diabetes batch norm": replace(TABLE, norm="batch", rate=3e-3),
    "cnn fashion relu": CNN,
    "cnn fashion relu sgd": replace(CNN, optimiser="sgd", rate=0.05),
    "cnn fashion batch norm": replace(CNN, norm="batch", depth=3),
    "cnn fashion group norm gelu": replace(CNN, norm="layer", depth=3, activation="GELU"),
    "cnn fashion residual": replace(CNN, norm="batch", skip=True, depth=5),
    "cnn fashion tanh": replace(CNN, activation="Tanh", optimiser="momentum", rate=0.01),
    "cnn digits relu": Recipe(net="cnn", data="rows", width=16, depth=2, steps=250),
    "cnn digits silu": Recipe(net="cnn", data="rows", width=16, depth=3, activation="SiLU", steps=250),
    "lstm digits": Recipe(net="lstm", data="rows", width=32, depth=1, rate=5e-3),
    "lstm text": Recipe(net="lstm", data="text", width=32, depth=1, rate=5e-3, batch=32, clip=1.0),
    "gru digits": Recipe(net="gru", data="rows", width=32, depth=2, rate=3e-3),
    "gru text sgd": Recipe(net="gru", data="text", width=32, depth=1, optimiser="sgd", rate=0.5, batch=32, clip=1.0),
    "rnn digits": Recipe(net="rnn", data="rows", activation="Tanh", width=32, depth=1, rate=2e-3, clip=1.0),
    "transformer digits": Recipe(net="transformer", data="rows", width=32, depth=2, activation="GELU"),
    "transformer text": Recipe(
        net="transformer", data="text", width=32, depth=2, activation="ReLU", batch=32, steps=200
    ),
    "autoencoder digits": Recipe(net="autoencoder", loss="mse", width=64),
    "autoencoder fashion tanh": Recipe(net="autoencoder", data="fashion", loss="mse", width=64, activation="Tanh"),
}
"""Ordinary trainings with nothing wrong in them."""

TEMPTING: dict[str, Recipe] = {
    "one-hot letters": Recipe(data="one_hot", width=128, batch=64),
    "one-hot letters, wide": Recipe(data="one_hot", width=512, depth=1, batch=32, steps=200),
    "sparse by its bias": Recipe(bias=-0.5, init="he", width=128),
    "confident at the end": Recipe(data="blob", width=32, rate=1e-2, steps=1_000),
    "converged long ago": Recipe(data="iris", width=16, rate=1e-2, steps=1_500, batch=16),
    "half of it frozen": Recipe(frozen=True, depth=4),
    "half of a normalised net frozen": Recipe(frozen=True, norm="batch", depth=4),
    "a third of the labels wrong": Recipe(label_noise=0.33),
    "most labels wrong": Recipe(label_noise=0.7, steps=500),
    "warm-up": Recipe(schedule="warmup", rate=3e-3, steps=400),
    "cosine": Recipe(schedule="cosine", rate=3e-3),
    "steps down": Recipe(schedule="steps", optimiser="momentum", rate=0.05),
    "targets in thousands, small rate": replace(TABLE, target_scale=30.0, steps=600, rate=1e-2),
    "two units before the head": Recipe(width=2, rate=1e-2, steps=600),
    "one wide layer": Recipe(width=1024, depth=1),
    "batch of four": Recipe(batch=4, steps=500),
    "the whole set": Recipe(batch=1_797, steps=100, rate=3e-3),
    "gradients accumulated": Recipe(accumulate=4, batch=16, steps=150),
    "clipped hard": Recipe(clip=0.1, optimiser="sgd", rate=0.5),
    "strong decay": Recipe(weight_decay=0.1, optimiser="adamw", rate=3e-3),
    "dropout of 0.8": Recipe(dropout=0.8, width=256, steps=400),
    "deep and residual": Recipe(skip=True, norm="layer", depth=12, activation="GELU"),
    "deep, He": Recipe(depth=8, init="he"),
    "deep tanh, Xavier": Recipe(depth=8, init="xavier", activation="Tanh"),
    "noisy circle": Recipe(data="circle", width=8, depth=2, batch=8, rate=1e-2, steps=600),
    "letters by an LSTM for longer": Recipe(net="lstm", data="text", width=48, depth=1, rate=5e-3, batch=16, steps=400),
    "a deep GRU": Recipe(net="gru", data="rows", width=24, depth=3, rate=3e-3),
    "batch norm, batch of 16": Recipe(norm="batch", batch=16, depth=3),
    "few steps": Recipe(steps=12),
    "thirty steps": Recipe(steps=30),
    "small inputs": Recipe(input_scale=0.1, rate=5e-3, steps=400),
    "probabilities by sigmoid and its own loss": Recipe(
        data="cancer", width=32, loss="bce_logits", net="mlp", batch=32
    ),
    "relu6": Recipe(activation="ReLU6"),
    "hardtanh": Recipe(activation="Hardtanh"),
    "softsign": Recipe(activation="Softsign"),
    "prelu": Recipe(activation="PReLU"),
}
"""Sound, and each looks like something that is not."""

SEEDS = {"sound": 3, "tempting": 5}
OF_EACH = 12  # cases of each fault


@functools.cache
def cases() -> dict[str, Case]:
    """All cases by name."""
    return {found.name: found for found in (*sound(), *faulty())}


def case(name: str) -> Case:
    """The case of that name.

    Raises:
        UnknownName: there is none (also a ``KeyError``).
    """
    if name not in cases():
        raise UnknownName.of("case", name, cases())
    return cases()[name]


def sound() -> Iterator[Case]:
    for kind, recipes in (("sound", SOUND), ("tempting", TEMPTING)):
        for base, recipe in recipes.items():
            for seed in range(SEEDS[kind]):
                yield Case(f"{base} · {seed}", base, None, replace(recipe, seed=seed))


def faulty() -> Iterator[Case]:
    """``OF_EACH`` cases of each fault, on as many sound recipes as it can be made in, in the order of their hashes."""
    for fault in FAULTS:
        able = [base for base, recipe in SOUND.items() if fault.changes(recipe) is not None]
        able.sort(key=lambda base, name=fault.name: digest(f"{base} {name}"))
        for number in range(OF_EACH):
            base, seed = able[number % len(able)], number // len(able)
            recipe = replace(SOUND[base], **(fault.changes(SOUND[base]) or {}), seed=seed)
            yield Case(f"{base} · {fault.name} · {seed}", base, fault, recipe)


def digest(text: str) -> bytes:
    """A number that is the same everywhere."""
    return hashlib.sha256(text.encode()).digest()
