"""Everything that makes one training: what a case declares and ``ward.train`` carries out."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """One training. The defaults are sound.

    Attributes:
        net: one of ``nets.BUILDERS``, or ``gan`` for a pair.
        data: one of ``data.LOADERS``.
        activation: name in ``torch.nn``; ``exp`` and ``Softmax`` are possible too.
        depth: hidden layers, blocks or time layers.
        width: units of a hidden layer, channels of the first block, or model width.
        norm: ``none``, ``batch`` or ``layer``.
        skip: whether blocks have a shortcut.
        init: how weights are drawn: ``default`` (torch's), ``he``, ``he_uniform``, ``xavier``, ``lecun``, ``zeros``,
            ``constant``, ``normal`` or ``uniform``, the last three with the value, standard deviation or bound
            ``init_scale``.
        init_scale: see ``init``.
        bias: constant that hidden biases begin with; None for torch's own.
        gate_bias: constant that gates begin with; None for torch's own.
        dropout: share of units dropped after each activation.
        head: what stands on the last layer: ``linear``, ``softmax``, ``softmax_over_batch``, ``log_softmax``,
            ``sigmoid``, ``relu``, ``tanh``.
        output_scale: what the model multiplies its output by.
        loss: one of ``losses.LOSSES``.
        optimiser: ``sgd``, ``momentum``, ``adam``, ``adamw``, ``rmsprop``.
        rate: learning rate.
        eps: of an adaptive optimiser; None for torch's own.
        schedule: ``none``, ``warmup``, ``cosine``, ``steps``.
        batch: samples of a step.
        steps: optimiser steps.
        input_scale: what the prepared inputs are multiplied by.
        input_shift: what is added to them after that.
        target_scale: what regression targets are multiplied by.
        label_noise: share of training labels that are drawn anew.
        clip: largest norm of the gradient; 0 for any.
        weight_decay: of the optimiser.
        accumulate: backward passes for one step.
        zero_grad: whether gradients are cleared before each step.
        detached: whether the signal is cut from the graph before the last layer.
        forgotten: whether the optimiser is given the last layer alone by mistake.
        frozen: whether the first half of the layers does not train on purpose.
        taken_over: whether the hidden layers come trained, and the optimiser is given the last layer alone on purpose.
        flipped: whether the loss is maximised by mistake.
        evaluating: whether the model is left in evaluation mode.
        seed: of weights, order and noise.
    """

    net: str = "mlp"
    data: str = "digits"
    activation: str = "ReLU"
    depth: int = 2
    width: int = 64
    norm: str = "none"
    skip: bool = False
    init: str = "default"
    init_scale: float = 1.0
    bias: float | None = None
    gate_bias: float | None = None
    dropout: float = 0.0
    head: str = "linear"
    output_scale: float = 1.0
    loss: str = "cross_entropy"
    optimiser: str = "adam"
    rate: float = 1e-3
    eps: float | None = None
    schedule: str = "none"
    batch: int = 64
    steps: int = 300
    input_scale: float = 1.0
    input_shift: float = 0.0
    target_scale: float = 1.0
    label_noise: float = 0.0
    clip: float = 0.0
    weight_decay: float = 0.0
    accumulate: int = 1
    zero_grad: bool = True
    detached: bool = False
    forgotten: bool = False
    frozen: bool = False
    taken_over: bool = False
    flipped: bool = False
    evaluating: bool = False
    seed: int = 0

    @property
    def architecture(self) -> str:
        """What kind of network it is, in the words of the figures."""
        if self.skip:
            return "residual"
        if self.net in ("mlp", "cnn"):
            return self.net if self.norm == "none" else f"{self.net}, normalised"
        return self.net
