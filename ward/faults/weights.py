"""Mistakes in what weights and biases begin with, and in what comes in and is to come out."""

from __future__ import annotations

from ward.faults.fault import ANY_HARM, NO_PROGRESS, Fault, only, regresses, stacked, unscaling, words
from ward.recipe import Recipe

__all__ = ["FAULTS"]


def rectified(recipe: Recipe) -> bool:
    return unscaling(recipe) and recipe.net in ("mlp", "cnn", "autoencoder", "letters") and recipe.activation == "ReLU"


def bounded(recipe: Recipe) -> bool:
    return stacked(recipe) and recipe.activation in ("Tanh", "Sigmoid")


def alike(recipe: Recipe) -> bool:
    """Whether equal weights make the units of a layer equal."""
    return unscaling(recipe) and recipe.net in ("mlp", "cnn", "autoencoder", "lstm", "gru", "rnn", "letters", "gan")


def of_numbers(recipe: Recipe) -> bool:
    return unscaling(recipe) and recipe.data != "text" and recipe.net not in ("gan", "letters")


FAULTS: tuple[Fault, ...] = (
    Fault(
        "all weights zero",
        only(alike, lambda _: {"init": "zeros", "bias": 0.0}),
        NO_PROGRESS | words("dead-units"),
        ("bad-initialisation", "dead-from-start"),
        words("reinitialise"),
    ),
    Fault(
        "all weights equal",
        only(alike, lambda recipe: {"init": "constant", "init_scale": 0.01, "bias": 0.0}),
        NO_PROGRESS | words("dead-units"),
        ("bad-initialisation",),
        words("reinitialise"),
    ),
    Fault(
        "weights far too large",
        only(lambda recipe: recipe.norm == "none", lambda _: {"init": "normal", "init_scale": 3.0}),
        ANY_HARM,
        ("bad-initialisation",),
        words("reinitialise add-normalisation"),
    ),
    Fault(
        "weights far too small",
        only(
            lambda recipe: stacked(recipe) and recipe.net == "mlp",
            lambda _: {"init": "normal", "init_scale": 1e-4, "depth": 6, "bias": 0.0},
        ),
        NO_PROGRESS,
        ("bad-initialisation", "too-deep-without-normalisation"),
        words("reinitialise add-normalisation"),
    ),
    Fault(
        "biases that keep units silent",
        only(rectified, lambda _: {"bias": -10.0}),
        words("dead-units not-learning vanishing-gradient collapsed-representation"),
        ("bad-bias", "dead-from-start", "bad-initialisation"),
        words("reinitialise revive-units"),
    ),
    Fault(
        "biases that saturate units",
        only(bounded, lambda _: {"bias": 15.0}),
        NO_PROGRESS | words("saturated-units"),
        ("bad-bias", "bad-initialisation"),
        words("reinitialise revive-units"),
    ),
    Fault(
        "gates that never open",
        only(lambda recipe: recipe.net == "memory", lambda _: {"gate_bias": -40.0}),
        NO_PROGRESS | words("saturated-units"),
        ("bad-bias", "bad-initialisation"),
        words("reinitialise revive-units"),
    ),
    Fault(
        "recurrence that grows",
        only(
            lambda recipe: recipe.net == "rnn",
            lambda _: {"activation": "ReLU", "init": "normal", "init_scale": 0.6, "data": "text", "rate": 1e-2},
        ),
        ANY_HARM,
        ("unbounded-recurrence",),
        words("clip-gradients swap-activation reinitialise"),
    ),
    Fault(
        "inputs not scaled",
        only(of_numbers, lambda _: {"input_scale": 3000.0, "input_shift": 1000.0}),
        ANY_HARM,
        ("unscaled-inputs",),
        words("scale-inputs add-normalisation"),
    ),
    Fault(
        "inputs scaled down twice",
        only(of_numbers, lambda _: {"input_scale": 1 / 255}),
        NO_PROGRESS,
        ("unscaled-inputs",),
        words("scale-inputs add-normalisation"),
    ),
    Fault(
        "targets not scaled",
        only(regresses, lambda _: {"target_scale": 1e4}),
        words("exploding-gradient exploding-activations slow-learning not-learning diverging-loss non-finite"),
        ("unscaled-targets",),
        words("scale-targets"),
    ),
)
