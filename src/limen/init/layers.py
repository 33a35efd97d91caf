"""Where a layer stands: what follows it, with what it is added, in how many parts it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from limen.activations import Activation
from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of
from limen.init.operations import (
    ADDS,
    NORMALISES,
    adds_bias,
    function_after,
    is_before,
    map_behind,
    moves,
    reaches_weights,
)

__all__ = ["Surroundings", "bias_of", "fans", "longest_runs", "surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What comes after a layer.

    Attributes:
        function: the activation that its results are given to, if one is.
        is_output: whether its results leave the model without weights after them.
        normalised: whether a normalisation comes before anything else.
        terms: how many layers are added to make the values that the function sees.
        blocks: parts in which its units are read.
        label: what comes after, in a word.
    """

    function: Activation | None
    is_output: bool
    normalised: bool
    terms: int
    blocks: int
    label: str


def surroundings(tape: Tape, layer: LinearMap) -> Surroundings:
    """What comes after a layer on the tape."""
    made = layer.operation.output
    follower = function_after(tape, made)
    function = follower.activation if follower is not None else None
    is_output = not reaches_weights(tape, made)
    normalised = follower is not None and follower.name in NORMALISES
    label = "output" if is_output else "norm" if normalised else label_of(follower)
    return Surroundings(function, is_output, normalised, terms(tape, made), blocks(tape, layer), label)


ATTENDS = frozenset({"scaled_dot_product_attention", "matmul", "bmm", "baddbmm", "softmax", "einsum"})


def label_of(follower: Operation | None) -> str:
    """What comes after a layer, in a word."""
    if follower is None:
        return "output"
    if follower.activation is not None:
        return follower.activation.name
    if linear_map_of(follower) is not None:
        return "linear"
    return "attention" if follower.name in ATTENDS else follower.name


def readers_beyond_moves(tape: Tape, value: Value) -> list[Operation]:
    found: list[Operation] = []
    waiting = [value]
    while waiting:
        for reader in tape.readers(waiting.pop()):
            found.append(reader)
            if moves(reader) or adds_bias(reader):
                waiting += reader.outputs
    return found


def terms(tape: Tape, made: Value) -> int:
    """Layers whose results are added to each other: two in ``W x + U h``; a residual addition does not count."""
    for reader in readers_beyond_moves(tape, made):
        pair = [given for given in reader.inputs if given.source == "operation"]
        if reader.name in ADDS and len(pair) == 2 and all(map_behind(given) for given in pair):
            left, right = pair
            if not (is_before(left, right) or is_before(right, left)):
                return 2
    return 1


def blocks(tape: Tape, layer: LinearMap) -> int:
    """Parts of equal size in which the units are read: query, key and value; a gate and what it gates."""
    if layer.weight.name.endswith("in_proj_weight"):
        return 3
    for reader in readers_beyond_moves(tape, layer.operation.output):
        count = len(reader.outputs)
        if reader.name == "glu":
            return 2
        if reader.name in ("chunk", "split", "tensor_split", "unbind") and 2 <= count <= 4:
            alike = len({made.shape for made in reader.outputs}) == 1
            if alike and math.prod(reader.inputs[0].shape) == math.prod(layer.operation.output.shape):
                return count if layer.units % count == 0 else 1
    return 1


def bias_of(tape: Tape, layer: LinearMap) -> Value | None:
    """The bias of a layer, also where it is added by a call of its own."""
    if layer.bias is not None:
        return layer.bias
    for reader in readers_beyond_moves(tape, layer.operation.output):
        if adds_bias(reader):
            return next(given for given in reader.inputs if given.source == "parameter")
    return None


def fans(layer: LinearMap, blocks: int) -> tuple[float, float]:
    """Inputs summed for one result, and results that one input goes into, with the stride of a convolution."""
    into, out = float(layer.fan_in), layer.fan_out / blocks
    if layer.operation.name == "bilinear":
        return into * layer.weight.shape[2], out
    if layer.positions > 1:
        axes = len(layer.weight.shape) - 2
        given = layer.operation.argument("stride", 1)
        steps = math.prod(given) ** (axes if len(given) == 1 else 1) if isinstance(given, tuple) else int(given) ** axes
        steps = min(steps, layer.positions)
        return (into / steps, out) if layer.transposed else (into, out / steps)
    return into, out


def longest_runs(tape: Tape) -> dict[Activation, int]:
    """For each function before weights: how many are applied in a row, at most, without a normalisation between."""
    runs: dict[int, int] = {}
    longest: dict[Activation, int] = {}
    for operation in tape.operations:
        run = max((runs.get(id(value), 0) for value in operation.inputs), default=0)
        if operation.name in NORMALISES or operation.name == "rsqrt":
            run = 0
        elif operation.activation is not None:
            run += 1
            if reaches_weights(tape, operation.output):
                longest[operation.activation] = max(run, longest.get(operation.activation, 0))
        runs.update((id(made), run) for made in operation.outputs)
    return longest
