"""Mistakes between the last layer and the loss."""

from __future__ import annotations

from ward.faults.fault import Fault, classifies, only, regresses, words

__all__ = ["FAULTS"]

SLOW = words("slow-learning not-learning")

FAULTS: tuple[Fault, ...] = (
    Fault(
        "softmax before cross-entropy",
        only(classifies, lambda _: {"head": "softmax"}),
        SLOW,
        ("output-loss-mismatch",),
        words("fix-output-head fix-loss"),
    ),
    Fault(
        "softmax over the batch",
        only(classifies, lambda _: {"head": "softmax_over_batch"}),
        SLOW,
        ("output-loss-mismatch",),
        words("fix-output-head fix-loss"),
    ),
    Fault(
        "sigmoid before a loss that applies it",
        only(lambda recipe: recipe.loss == "bce_logits", lambda _: {"head": "sigmoid"}),
        SLOW,
        ("output-loss-mismatch",),
        words("fix-output-head fix-loss"),
    ),
    Fault(
        "ReLU on the logits",
        only(classifies, lambda _: {"head": "relu"}),
        SLOW | words("dead-units"),
        ("output-loss-mismatch",),
        words("fix-output-head"),
    ),
    Fault(
        "squared error of a softmax",
        only(
            lambda recipe: classifies(recipe) and recipe.optimiser in ("sgd", "momentum"),
            lambda _: {"head": "softmax", "loss": "mse_one_hot"},
        ),
        SLOW,
        ("output-loss-mismatch",),
        words("fix-loss fix-output-head"),
    ),
    Fault(
        "bounded output for unbounded targets",
        only(regresses, lambda _: {"head": "sigmoid"}),
        SLOW | words("saturated-units"),
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
        "logarithm of a probability that is 0",
        only(
            classifies, lambda _: {"head": "softmax", "loss": "log_of_probability", "init": "normal", "init_scale": 1.0}
        ),
        words("non-finite"),
        ("loss-numerics",),
        words("fix-loss fix-output-head"),
    ),
    Fault(
        "square root of nothing",
        only(regresses, lambda _: {"loss": "mse_and_distances"}),
        words("non-finite"),
        ("loss-numerics",),
        words("fix-loss"),
    ),
)
