"""The faults of the ward: what each changes in a sound recipe, and what a tool should then say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ward.recipe import Recipe

__all__ = ["FAULTS", "Fault"]

Changes = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: of the mistake.
        changes: the fields of a recipe that it changes; None where the mistake cannot be made in it.
        symptoms: any of these is what is seen.
        causes: any of these is why; the first is what the mistake is.
        remedies: any of these helps.
    """

    name: str
    changes: Callable[[Recipe], Changes | None]
    symptoms: frozenset[str]
    causes: tuple[str, ...]
    remedies: frozenset[str]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def only(
    condition: Callable[[Recipe], bool], changes: Callable[[Recipe], Changes]
) -> Callable[[Recipe], Changes | None]:
    return lambda recipe: changes(recipe) if condition(recipe) else None


def plain(recipe: Recipe) -> bool:
    """Whether nothing rescales the signal on its way."""
    return recipe.net in ("mlp", "cnn", "autoencoder") and recipe.norm == "none" and not recipe.skip


def rectified(recipe: Recipe) -> bool:
    return plain(recipe) and recipe.activation == "ReLU"


def classifies(recipe: Recipe) -> bool:
    return recipe.loss == "cross_entropy"


def regresses(recipe: Recipe) -> bool:
    return recipe.data == "diabetes"


def rate_too_high(recipe: Recipe) -> Changes:
    return {"rate": {"sgd": 20.0, "momentum": 5.0}.get(recipe.optimiser, 0.5), "schedule": "none", "clip": 0.0}


ANY_HARM = words(
    "dead-units dying-units saturated-units exploding-activations exploding-gradient non-finite not-learning "
    "diverging-loss oscillating-loss slow-learning collapsed-representation vanishing-gradient"
)
NO_PROGRESS = words("not-learning slow-learning collapsed-representation vanishing-gradient")

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
        "all weights zero",
        only(plain, lambda _: {"init": "zeros", "bias": 0.0}),
        NO_PROGRESS | words("dead-units"),
        ("bad-initialisation", "dead-from-start"),
        words("reinitialise"),
    ),
    Fault(
        "all weights equal",
        only(plain, lambda recipe: {"init": "constant", "init_scale": 0.01, "bias": 0.0}),
        NO_PROGRESS | words("dead-units"),
        ("bad-initialisation",),
        words("reinitialise"),
    ),
    Fault(
        "weights far too large",
        only(plain, lambda _: {"init": "normal", "init_scale": 3.0}),
        ANY_HARM,
        ("bad-initialisation",),
        words("reinitialise add-normalisation"),
    ),
    Fault(
        "weights far too small",
        only(
            lambda recipe: plain(recipe) and recipe.net == "mlp",
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
        "deep sigmoid",
        only(lambda recipe: plain(recipe) and recipe.net == "mlp", lambda _: {"activation": "Sigmoid", "depth": 12}),
        NO_PROGRESS,
        ("saturating-activation", "too-deep-without-normalisation", "bad-initialisation"),
        words("swap-activation add-normalisation reinitialise"),
    ),
    Fault(
        "very deep without normalisation",
        only(rectified, lambda recipe: {"depth": 30, "net": "mlp", "data": "digits", "loss": "cross_entropy"}),
        NO_PROGRESS | words("dead-units"),
        ("too-deep-without-normalisation", "bad-initialisation"),
        words("add-normalisation reinitialise"),
    ),
    Fault(
        "exponential activation",
        only(
            lambda recipe: plain(recipe) and recipe.net == "mlp",
            lambda _: {"activation": "exp", "depth": 8, "init": "he", "width": 16},
        ),
        words("non-finite exploding-activations exploding-gradient diverging-loss not-learning"),
        ("wrong-activation",),
        words("swap-activation"),
    ),
    Fault(
        "softmax before cross-entropy",
        only(classifies, lambda _: {"head": "softmax"}),
        words("slow-learning not-learning"),
        ("output-loss-mismatch",),
        words("fix-output-head fix-loss"),
    ),
    Fault(
        "ReLU on the logits",
        only(classifies, lambda _: {"head": "relu"}),
        words("dead-units slow-learning not-learning"),
        ("output-loss-mismatch",),
        words("fix-output-head"),
    ),
    Fault(
        "squared error of a softmax",
        only(classifies, lambda _: {"head": "softmax", "loss": "mse_one_hot"}),
        words("slow-learning not-learning"),
        ("output-loss-mismatch",),
        words("fix-loss fix-output-head"),
    ),
    Fault(
        "bounded output for unbounded targets",
        only(regresses, lambda _: {"head": "sigmoid"}),
        words("not-learning slow-learning saturated-units"),
        ("output-loss-mismatch",),
        words("fix-output-head"),
    ),
    Fault(
        "softmax over one output",
        only(regresses, lambda _: {"head": "softmax"}),
        words("not-learning vanishing-gradient"),
        ("output-loss-mismatch", "no-gradient-path"),
        words("fix-output-head"),
    ),
    Fault(
        "inputs not scaled",
        only(
            lambda recipe: plain(recipe) and recipe.data != "text",
            lambda _: {"input_scale": 3000.0, "input_shift": 1000.0},
        ),
        ANY_HARM,
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
    ),
    Fault(
        "parameters forgotten",
        lambda _: {"forgotten": True},
        words("not-learning slow-learning"),
        ("no-gradient-path",),
        words("fix-training-loop"),
    ),
    Fault(
        "the loss is climbed",
        lambda _: {"flipped": True},
        words("diverging-loss not-learning non-finite exploding-activations"),
        ("output-loss-mismatch",),
        words("fix-loss fix-training-loop"),
    ),
    Fault(
        "logarithm of a probability that is 0",
        only(
            classifies, lambda _: {"head": "softmax", "loss": "log_of_probability", "init": "normal", "init_scale": 1.0}
        ),
        words("non-finite"),
        ("loss-numerics",),
        words("fix-loss fix-output-head"),
    ),
    Fault(
        "dropout of nearly all",
        only(lambda recipe: recipe.net in ("mlp", "cnn"), lambda _: {"dropout": 0.97}),
        words("not-learning slow-learning oscillating-loss dead-units"),
        ("excess-dropout",),
        words("reduce-dropout"),
    ),
    Fault(
        "normalised over a batch of two",
        only(lambda recipe: recipe.norm == "batch", lambda _: {"batch": 2}),
        words("not-learning slow-learning oscillating-loss"),
        ("normalisation-misuse",),
        words("add-normalisation fix-training-loop"),
    ),
    Fault(
        "softmax as hidden activation",
        only(lambda recipe: plain(recipe) and recipe.net == "mlp", lambda _: {"activation": "Softmax", "depth": 4}),
        words("slow-learning not-learning vanishing-gradient collapsed-representation"),
        ("wrong-activation",),
        words("swap-activation"),
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
        "square root of nothing",
        only(regresses, lambda _: {"loss": "mse_and_distances"}),
        words("non-finite"),
        ("loss-numerics",),
        words("fix-loss"),
    ),
)
