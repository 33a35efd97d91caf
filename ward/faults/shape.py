"""Mistakes in the network's shape: its depth and its activations."""

from __future__ import annotations

from ward.faults.fault import NO_PROGRESS, Fault, only, stacked, words
from ward.recipe import Recipe

__all__ = ["FAULTS"]


def perceptron(recipe: Recipe) -> bool:
    return stacked(recipe) and recipe.net == "mlp" and not autotrainers(recipe)


def autotrainers(recipe: Recipe) -> bool:
    """Whether it is the healthy net that AutoTrainer's sick ones are made of: five layers of five units."""
    return recipe.net == "mlp" and recipe.width == 5 and recipe.init == "he_uniform"


def in_a_row(recipe: Recipe) -> bool:
    """Whether linear layers stand in a row without their activations: nothing else, as a pooling, between them."""
    return stacked(recipe) and recipe.net in ("mlp", "autoencoder") and recipe.depth > 1


FAULTS: tuple[Fault, ...] = (
    Fault(
        "no activation between layers",
        only(in_a_row, lambda _: {"activation": "Identity"}),
        words("slow-learning not-learning"),
        ("missing-activation",),
        words("add-activation"),
        defect=True,
    ),
    Fault(
        "deep sigmoid",
        only(perceptron, lambda _: {"activation": "Sigmoid", "depth": 12}),
        NO_PROGRESS,
        ("saturating-activation", "too-deep-without-normalisation", "bad-initialisation"),
        words("swap-activation add-normalisation reinitialise"),
    ),
    Fault(
        "very deep without normalisation",
        only(lambda recipe: perceptron(recipe) and recipe.activation == "ReLU", lambda _: {"depth": 30}),
        NO_PROGRESS | words("dead-units"),
        ("too-deep-without-normalisation", "bad-initialisation"),
        words("add-normalisation reinitialise"),
    ),
    Fault(
        "exponential activation",
        only(perceptron, lambda _: {"activation": "exp", "depth": 8, "init": "he", "width": 16}),
        words("non-finite exploding-activations exploding-gradient diverging-loss not-learning"),
        ("wrong-activation",),
        words("swap-activation"),
    ),
    Fault(
        "softmax as hidden activation",
        only(stacked, lambda recipe: {"activation": "Softmax", "depth": max(recipe.depth, 4)}),
        words("slow-learning not-learning vanishing-gradient collapsed-representation"),
        ("wrong-activation",),
        words("swap-activation"),
    ),
    Fault(
        "AutoTrainer's exponential, 8 to 10 layers",
        only(autotrainers, lambda recipe: {"activation": "exp", "depth": 8 + recipe.seed % 3}),
        words("non-finite exploding-activations exploding-gradient diverging-loss not-learning"),
        ("wrong-activation",),
        words("swap-activation"),
    ),
    Fault(
        "AutoTrainer's sigmoid, 11 to 13 layers",
        only(autotrainers, lambda recipe: {"activation": "Sigmoid", "depth": 11 + recipe.seed % 3}),
        NO_PROGRESS,
        ("saturating-activation", "too-deep-without-normalisation", "bad-initialisation"),
        words("swap-activation add-normalisation reinitialise"),
    ),
    Fault(
        "AutoTrainer's ReLU of small weights, 8 or 9 layers",
        only(
            autotrainers,
            lambda recipe: {
                "activation": "ReLU",
                "depth": 8 + recipe.seed % 2,
                "init": "uniform",
                "init_scale": 0.05,
                "bias": 0.0,
            },
        ),
        NO_PROGRESS | words("dead-units dying-units"),
        ("bad-initialisation", "too-deep-without-normalisation", "dead-from-start"),
        words("reinitialise add-normalisation swap-activation"),
    ),
    Fault(
        "AutoTrainer's ReLU, 15 to 17 layers",
        only(autotrainers, lambda recipe: {"activation": "ReLU", "depth": 15 + recipe.seed % 3, "bias": 0.0}),
        NO_PROGRESS | words("dead-units dying-units"),
        ("too-deep-without-normalisation", "bad-initialisation", "dead-from-start"),
        words("add-normalisation reinitialise swap-activation revive-units"),
    ),
)
