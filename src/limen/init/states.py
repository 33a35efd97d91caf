"""What each value of a tape is expected to be: its second moment, its mean, and how it answers to changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from limen.activations import Activation, Sigmoid
from limen.anatomy.tape import Operation, Value
from limen.init.operations import ADDS, DROPS, MOVES, is_before, normalises
from limen.theory import moments

__all__ = ["Measured", "State", "after", "observed", "of_leaf"]

SQUASHES = frozenset({"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "softmax", "log_softmax", "sin", "cos"})
"""Functions whose values do not grow in proportion to their input."""

Measured = Mapping[tuple[int, str], tuple[float, float]]
"""Mean and second moment of tensors seen on the sample, by order of the operation and place: ``in0``, ``out0``."""


@dataclass(frozen=True)
class State:
    """Expectations over one value.

    Attributes:
        square: ``E[x²]``.
        mean: ``E[x]``.
        slope: ``E[(dx/dz)²]`` for the pre-activations ``z`` it was made of; None where they are not known.
        origin: the second moment of those pre-activations, where the slope is known.
        function: the last function applied since the last weights or normalisation.
        run: functions applied since the last normalisation, along the longest way.
        centred: whether the layer that reads it should not see its mean.
        guessed: whether something on the way was taken as it acted on the sample, or as doing nothing.
        source: where it is from if no function made it, in a word.
    """

    square: float = 1.0
    mean: float = 0.0
    slope: float | None = None
    origin: float = 1.0
    function: Activation | None = None
    run: int = 0
    centred: bool = False
    guessed: bool = False
    source: str = "linear"

    @property
    def seen(self) -> float:
        """The second moment that the weights which read it see."""
        return max(self.square - self.mean**2, 0.0) if self.centred else self.square


def after(operation: Operation, given: Mapping[int, State], measured: Measured) -> State:
    """The state of what an operation without weights makes of its inputs' states, which are keyed by their value."""
    states = [given[id(value)] for value in operation.inputs]
    if not states:
        return observed(operation, None, measured)
    first = states[0]
    if operation.activation is not None:
        return activated(operation.activation, first)
    name = operation.name
    if normalises(operation):
        return State(source="norm")
    if name in MOVES:
        return first
    if name in DROPS:
        training = operation.argument("training", operation.argument("train", False))
        return kept(first, float(operation.argument("p", 0.5)), name) if training else first
    if name in ADDS:
        return added(states, operation)
    if name in ("mul", "div", "true_divide") and len(states) == 1:
        return scaled(operation, first)
    if name == "neg":
        return replace(first, mean=-first.mean)
    if name == "mul" and len(states) == 2 and independent(operation):
        return multiplied(*states)
    if name == "glu":
        gate = moments(Sigmoid(), first.square).square if first.square > 0 else 0.25
        return State(first.square * gate, 0.0, function=first.function, run=first.run + 1, guessed=first.guessed)
    if name in ("cat", "concat", "concatenate", "stack", "hstack", "vstack"):
        return joined(operation, states)
    return observed(operation, reference(operation, given), measured)


def activated(function: Activation, z: State) -> State:
    """A function of Gaussian pre-activations of mean 0."""
    if not (math.isfinite(z.square) and z.square > 0):
        return replace(z, function=function, run=z.run + 1)
    found = moments(function, z.square)
    slope = None if z.slope is None else z.slope * found.slope_square
    return State(found.square, found.mean, slope, z.origin, function, z.run + 1, guessed=z.guessed)


def kept(x: State, p: float, name: str) -> State:
    """Dropout divides what it keeps by the share it keeps; alpha dropout keeps mean and variance."""
    if name == "alpha_dropout" or not 0 < p < 1:
        return x
    return replace(x, square=x.square / (1 - p), slope=None if x.slope is None else x.slope / (1 - p))


def added(states: list[State], operation: Operation) -> State:
    """A sum of independent values, or of a value and a number."""
    first = states[0]
    sign = -1.0 if operation.name in ("sub", "rsub") else 1.0
    if len(states) == 1:
        other = operation.argument("other", 0.0)
        shift = float(other) if isinstance(other, int | float) else 0.0
        mean = first.mean + sign * shift if operation.name != "rsub" else shift - first.mean
        return replace(first, mean=mean, square=first.square - first.mean**2 + mean**2)
    mean = first.mean + sign * states[1].mean
    spread = sum(one.square - one.mean**2 for one in states[:2])
    slopes = {one.slope for one in states[:2]}
    slope = slopes.pop() if slopes == {1.0} else None
    function = first.function if first.function == states[1].function else None
    run, guessed = max(one.run for one in states), any(one.guessed for one in states)
    square = spread + mean**2
    return State(square, mean, slope, square, function, run, guessed=guessed)


def scaled(operation: Operation, x: State) -> State:
    """A value times a plain number, or divided by one."""
    number = operation.argument("other", 1.0)
    factor = float(number) if isinstance(number, int | float) and math.isfinite(number) else 1.0
    if operation.name != "mul":
        factor = 1 / factor if factor and operation.arguments.get("input") is operation.inputs[0] else 1.0
    slope = None if x.slope is None else x.slope * factor**2
    return replace(x, square=x.square * factor**2, mean=x.mean * factor, slope=slope)


def multiplied(left: State, right: State) -> State:
    """A product of independent values, such as a gate and what it lets through."""
    return State(
        left.square * right.square,
        left.mean * right.mean,
        function=left.function or right.function,
        run=max(left.run, right.run),
        guessed=left.guessed or right.guessed,
        source=right.source if left.source == "linear" else left.source,
    )


def joined(operation: Operation, states: list[State]) -> State:
    """Values side by side: the mean over their elements."""
    sizes = [math.prod(value.shape) for value in operation.inputs]
    total = sum(sizes) or 1

    def mean(numbers: list[float]) -> float:
        return sum(size * number for size, number in zip(sizes, numbers, strict=True)) / total

    function = states[0].function if len({one.function for one in states}) == 1 else None
    square, middle = mean([one.square for one in states]), mean([one.mean for one in states])
    run, guessed = max(one.run for one in states), any(one.guessed for one in states)
    return State(square, middle, function=function, run=run, guessed=guessed)


def independent(operation: Operation) -> bool:
    left, right = operation.inputs
    return left is not right and not is_before(left, right) and not is_before(right, left)


def reference(operation: Operation, given: Mapping[int, State]) -> tuple[str, State]:
    """The input that an operation passes on: the values of an attention, the right one of a product, else the first."""
    place = 0
    if operation.name == "scaled_dot_product_attention" and len(operation.inputs) >= 3:
        place = 2
    elif operation.name in ("matmul", "bmm", "einsum") and len(operation.inputs) == 2:
        place = 1
    return f"in{place}", given[id(operation.inputs[place])]


def observed(operation: Operation, passed: tuple[str, State] | None, measured: Measured) -> State:
    """Anything else: it changes mean and second moment by the factor by which it changed them on the sample.

    A function that does not scale with its input gives what it gave on the sample.
    """
    made = measured.get((operation.order, "out0"))
    if passed is None:
        return State(made[1], made[0], guessed=True) if made and usable(made) else State(guessed=True)
    place, x = passed
    if operation.name in SQUASHES and made and usable(made):
        return State(made[1], made[0], function=x.function, run=x.run, guessed=True)
    before = measured.get((operation.order, place))
    if not (made and before and usable(made) and usable(before)):
        return replace(x, slope=None, guessed=True)
    square = x.square * made[1] / before[1]
    mean = made[0] / math.sqrt(made[1]) * math.sqrt(square)
    return State(square, mean, function=x.function, run=x.run, guessed=True)


def usable(found: tuple[float, float]) -> bool:
    return all(map(math.isfinite, found)) and found[1] > 1e-30


def of_leaf(value: Value) -> State:
    """A parameter, buffer or constant as it is."""
    leaf = value.leaf
    if leaf is None or leaf.is_meta or not leaf.is_floating_point() or leaf.numel() == 0:
        return State(guessed=True)
    numbers = leaf.detach().float()
    return State(float(numbers.square().mean()), float(numbers.mean()))
