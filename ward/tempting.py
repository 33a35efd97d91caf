"""Sound trainings that tempt a tool to raise an alarm."""

from __future__ import annotations

from dataclasses import replace

from ward.losses import TARGET_SCALE
from ward.recipe import Recipe
from ward.sound import GAN, TABLE

__all__ = ["TEMPTING"]

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
    "two units before the head": Recipe(activation="Tanh", width=2, rate=1e-2, steps=600),
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
    "85 % of it silent": Recipe(data="letters", depth=1, width=256, init="he", bias=-2.0),
    "labels shuffled, few samples": Recipe(data="wine", width=64, label_noise=1.0, steps=800, batch=32, rate=3e-3),
    "gates shut at first": Recipe(net="highway", depth=6, gate_bias=-5.0, rate=3e-3),
    "a memory that keeps": Recipe(net="memory", data="rows", width=32, gate_bias=-3.0, rate=1e-2, steps=400),
    "an LSTM that keeps": Recipe(net="lstm", data="rows", width=32, depth=1, gate_bias=5.0, rate=5e-3),
    "a GRU that keeps": Recipe(net="gru", data="rows", width=32, depth=1, gate_bias=3.0, rate=1e-2),
    "an expert for few": Recipe(net="experts", width=32, gate_bias=-3.0, rate=3e-3),
    "an expert for few letters": Recipe(net="experts", data="letters", width=32, gate_bias=-2.5, rate=3e-3),
    "taken over, only the head trains": Recipe(taken_over=True),
    "taken over tanh, only the head trains": Recipe(taken_over=True, activation="Tanh", data="letters", rate=3e-3),
    "huge targets, scaled in the loss": replace(
        TABLE, target_scale=TARGET_SCALE, output_scale=TARGET_SCALE, loss="scaled_mse"
    ),
    "huge targets of letters, scaled in the loss": replace(
        TABLE, data="letter_width", target_scale=TARGET_SCALE, output_scale=TARGET_SCALE, loss="scaled_mse"
    ),
    "rarely used embeddings": Recipe(net="letters", data="text", rate=1e-2, batch=16, steps=400),
    "a saturated sigmoid at the end": Recipe(
        data="cancer", width=32, head="sigmoid", loss="bce", batch=32, rate=5e-3, steps=800
    ),
    "tanh that ends saturated": Recipe(data="blob", activation="Tanh", width=16, rate=2e-2, steps=1_000),
    "log-softmax and its loss": Recipe(head="log_softmax", loss="nll"),
    "pixels by a sigmoid": Recipe(net="autoencoder", loss="mse", head="sigmoid", rate=3e-3),
    "loss summed, at a fitting rate": Recipe(loss="sum", optimiser="sgd", rate=1e-3),
    "a pair for longer": replace(GAN, width=48, steps=1_500),
    "a pair of GELU": Recipe(
        net="gan", data="blob", loss="bce_logits", activation="GELU", width=32, depth=3, rate=1e-3, steps=600
    ),
}
"""Sound, and each looks like something that is not."""
