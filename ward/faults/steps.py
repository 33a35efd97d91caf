"""Mistakes in the size of a step and in what the loop does."""

from __future__ import annotations

from ward.faults.fault import ANY_HARM, Changes, Fault, only, words
from ward.recipe import Recipe

__all__ = ["FAULTS"]


def rate_too_high(recipe: Recipe) -> Changes:
    return {"rate": {"sgd": 20.0, "momentum": 5.0}.get(recipe.optimiser, 0.5), "schedule": "none", "clip": 0.0}


FAULTS: tuple[Fault, ...] = (
    Fault(
        "learning rate far too high",
        rate_too_high,
        ANY_HARM,
        ("learning-rate-too-high",),
        words("lower-learning-rate clip-gradients"),
    ),
    Fault(
        "learning rate far too low",
        lambda recipe: {"rate": recipe.rate * 1e-5, "schedule": "none"},
        words("not-learning slow-learning"),
        ("learning-rate-too-low",),
        words("raise-learning-rate"),
    ),
    Fault(
        "Adam without its eps, at a rate of 0.1",
        only(lambda recipe: recipe.optimiser == "adam", lambda _: {"eps": 1e-16, "rate": 0.1}),
        ANY_HARM,
        ("learning-rate-too-high",),
        words("lower-learning-rate clip-gradients"),
    ),
    Fault(
        "loss summed over the batch",
        only(
            lambda recipe: recipe.loss == "cross_entropy" and recipe.optimiser in ("sgd", "momentum"),
            lambda _: {"loss": "sum", "clip": 0.0},
        ),
        ANY_HARM,
        ("learning-rate-too-high", "output-loss-mismatch"),
        words("lower-learning-rate fix-loss clip-gradients"),
    ),
    Fault(
        "gradients never cleared",
        only(lambda recipe: recipe.optimiser in ("sgd", "momentum"), lambda _: {"zero_grad": False}),
        ANY_HARM,
        ("missing-zero-grad",),
        words("fix-training-loop"),
    ),
    Fault(
        "the signal is detached",
        lambda _: {"detached": True},
        words("vanishing-gradient not-learning slow-learning"),
        ("no-gradient-path",),
        words("fix-training-loop"),
        defect=True,
    ),
    Fault(
        "parameters forgotten",
        lambda _: {"forgotten": True},
        words("not-learning slow-learning"),
        ("no-gradient-path",),
        words("fix-training-loop"),
        defect=True,
    ),
    Fault(
        "the loss is climbed",
        lambda _: {"flipped": True},
        words("diverging-loss not-learning non-finite exploding-activations"),
        ("output-loss-mismatch",),
        words("fix-loss fix-training-loop"),
    ),
    Fault(
        "normalised over a batch of two",
        only(lambda recipe: recipe.norm == "batch" and recipe.net != "gan", lambda _: {"batch": 2}),
        words("not-learning slow-learning oscillating-loss"),
        ("normalisation-misuse",),
        words("fix-normalisation"),
        beside={"batch": 2, "norm": "layer"},  # two samples a step teach little, however they are normalised
    ),
    Fault(
        "dropout of nearly all",
        only(
            lambda recipe: recipe.net in ("mlp", "cnn", "autoencoder", "transformer", "highway"),
            lambda _: {"dropout": 0.97},
        ),
        words("not-learning slow-learning oscillating-loss dead-units"),
        ("excess-dropout",),
        words("reduce-dropout"),
    ),
)
