"""What is wanted of one layer: the variance of its results, and the weights that give it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from limen.activations import Activation
from limen.anatomy.tape import LinearMap
from limen.init.choices import Choices
from limen.init.layers import Surroundings, fans
from limen.init.states import State
from limen.init.targets import PLAIN, Target, target_of

__all__ = ["joined_remarks", "std_of", "wanted"]


def wanted(place: Surroundings, choices: Choices, runs: Mapping[Activation, int]) -> Target:
    """What the values that a layer makes are wanted to be, by what comes after it."""
    if place.is_output:
        target = replace(PLAIN, rule="output")
    elif place.normalised:
        target = replace(PLAIN, remark="before a normalisation")
    elif place.function is None:
        target = PLAIN
    else:
        target = target_of(place.function, choices, runs.get(place.function, 1))
    if place.terms == 1:
        return target
    return replace(
        target,
        variance=target.variance / place.terms,
        bias_variance=target.bias_variance / place.terms,
        remark=joined_remarks(target.remark, f"one of {place.terms} that are added"),
    )


def std_of(layer: LinearMap, x: State, seen: float, place: Surroundings, variance: float, choices: Choices) -> float:
    """Standard deviation of weights that make results of a variance of inputs of which they see ``seen``.

    To keep a gradient it is ``1 / sqrt(fan_out · E[f'²])`` with the function before the layer; the mean of both is that
    of the inverse variances, with the signal kept as it is and not brought to ``variance``.
    """
    into, out = fans(layer, place.blocks)
    forward = variance / (into * seen)
    if choices.keep == "forward" or place.is_output or not x.slope:
        return math.sqrt(forward)
    forward = x.origin / (into * seen)
    backward = 1 / (out * x.slope)
    return math.sqrt(backward if choices.keep == "backward" else 2 / (1 / forward + 1 / backward))


def joined_remarks(*remarks: str) -> str:
    """Those that say anything, one after the other."""
    return "; ".join(filter(None, remarks))
