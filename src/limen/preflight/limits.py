"""Every limit of every check, in one place."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Limits that the checks compare with: each one field with its unit, and where its default comes from.

    Attributes:
        silent: share of a layer's units without one active position in the sample. From: deep plain nets begin with
            half of their units on one side for all similar samples; 0.8 is beyond that.
        few_units: units from which a share of a layer is spoken of. From: one unit in four is 25 % by itself.
        few_positions: positions of a sample from which silence means something. From: the rule of three, 3 / 30 = 10 %
            activity at most.
        held_down: standard deviations by which a bias pushes a unit below zero. From: Phi(-3) = 0.1 % is active.
        vanished: gradient at the first layer over that at the last, dimensionless. From: nets with 1e-3 train
            (`limen.findings.Thresholds.vanished`), and ten ReLU layers with torch's own weights, at 1e-4, do with Adam.
        exploded: the same, upwards. From: a tanh net of fifty layers with torch's gain 5/3 grows by 117 and trains.
        depth: layers on the way before a profile is judged. From: three factors of 1/4 leave 1.6 %.
        wide: scale of a layer's weights over what its activation keeps, dimensionless. From: ten times the scale puts
            nine of ten tanh units at their bounds.
        large_input: root mean square of the inputs. From: pixels of 0 to 16 have 8, of 0 to 255 about 80 to 150.
        small_input: the same, downwards. From: torch's own biases of 0.03 to 0.3 outweigh such a signal.
        large_target: root mean square of regression targets. From: the weights of the head must grow by as much.
        head_room: share of a bounded output's range by which targets may leave it. From: rounding, label noise.
        strong_dropout: growth of the variance from training to use by dropout alone, 1 / (1 - p). From: Li et al. 2019
            find harm at p = 0.5; published wide residual nets use 0.3.
        first_step: learning rate of an adaptive optimiser over the weights' root mean square. From: its first step
            moves each entry by about the learning rate; at 1 nothing of the initialisation is left.
        first_fall: fall of the loss that the gradient promises for the first step of an optimiser without adaptive
            steps, over the loss. From: 1 is Polyak's step and 2 diverges where the loss is quadratic; 100 leaves room
            for nets that come back.
    """

    silent: float = 0.8
    few_units: int = 8
    few_positions: int = 30
    held_down: float = 3.0
    vanished: float = 1e-5
    exploded: float = 1e4
    depth: int = 3
    wide: float = 10.0
    large_input: float = 10.0
    small_input: float = 1e-3
    large_target: float = 100.0
    head_room: float = 0.05
    strong_dropout: float = 1.5
    first_step: float = 1.0
    first_fall: float = 100.0
