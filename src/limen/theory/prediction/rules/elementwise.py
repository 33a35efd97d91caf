"""Functions of each element by itself, kept as one function of a Gaussian however many calls they are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limen.anatomy.tape import Value
from limen.theory.prediction.cotangent import Cotangent, Seed
from limen.theory.prediction.state import Fan, State
from limen.theory.prediction.step import Made, NoRule, Step, rule

UNARY = (
    "abs", "atan", "arctan", "ceil", "cos", "erf", "erfc", "exp", "expm1", "floor", "log", "log1p", "log2", "neg",
    "negative", "positive", "reciprocal", "rsqrt", "sigmoid", "sign", "sin", "sinh", "cosh", "asinh", "sqrt", "square",
    "tan", "tanh", "relu", "logsigmoid", "softplus", "softsign", "tanhshrink", "hardshrink", "softshrink", "celu",
    "elu", "selu", "hardtanh", "hardsigmoid", "hardswish", "relu6", "silu", "gelu", "mish", "leaky_relu", "clamp",
    "clip", "clamp_min", "clamp_max", "threshold", "nan_to_num", "expit", "ndtr", "erfcx",
)  # fmt: skip
CASTS = ("to", "float", "double", "half", "bfloat16", "type_as", "type", "contiguous", "clone", "alias", "identity")


def activation(step: Step) -> Made:
    """An activation of the catalogue, of any element."""
    entry = step.operation.activation
    if entry is None:
        raise NoRule
    if step.operation.name == "prelu":
        return prelu(step)
    return of_one(step, step.operation.inputs[0], entry.f, entry.df)


def prelu(step: Step) -> Made:
    """Slopes of their own for each channel."""
    weight = step.constant("1") if step.given("weight") is None else step.constant("weight")
    state = step.state("input")
    if weight is None:
        raise NoRule
    if weight.numel() > 1:
        weight = weight.reshape(-1, *(1,) * (state.mean.ndim - 2), 1)
    return of_one(
        step,
        step.value("input"),
        lambda x: torch.where(x > 0, x, weight * x),
        lambda x: torch.where(x > 0, 1.0, weight),
    )


def unary(step: Step) -> Made:
    """A function of torch, called with the numbers it was called with."""
    operation = step.operation
    numbers = {name: argument for name, argument in operation.arguments.items() if name != "input"}
    if any(isinstance(argument, Value) for argument in numbers.values()):
        raise NoRule
    numbers.pop("inplace", None)
    places = [numbers.pop(name) for name in sorted(numbers) if name.isdigit()]
    function = found(operation.name)
    return of_one(step, step.value("input"), lambda x: function(x, *places, **numbers))


def found(name: str) -> Callable[..., Tensor]:
    """The function of torch that bears the name."""
    for space in (torch, F, torch.special, Tensor):
        if hasattr(space, name):
            return getattr(space, name)
    raise NoRule


def unchanged(step: Step) -> Made:
    """Another type or memory, the same numbers."""
    if not step.operation.output.dtype.is_floating_point:
        raise NoRule
    value = step.operation.inputs[0]
    return Made((step.states[value],), lambda above: {value: above[0]} if above[0] else {})


@rule("detach")
def detached(step: Step) -> Made:
    """The same numbers, through which no gradient comes."""
    return Made((step.state("input"),), lambda _: {})


ARITHMETIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "subtract": torch.sub,
    "rsub": lambda one, other: other - one,
    "mul": torch.mul,
    "multiply": torch.mul,
    "div": torch.div,
    "divide": torch.div,
    "true_divide": torch.div,
    "truediv": torch.div,
    "rtruediv": lambda one, other: other / one,
    "rdiv": lambda one, other: other / one,
    "radd": torch.add,
    "rmul": torch.mul,
    "iadd": torch.add,
    "imul": torch.mul,
    "isub": torch.sub,
    "itruediv": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


@rule(*ARITHMETIC)
def arithmetic(step: Step) -> Made:
    """Two values, or a value and a number: one function where both are made from one Gaussian."""
    operation = step.operation
    one = operation.arguments["input"]
    other = next(
        (operation.arguments[name] for name in ("other", "1", "exponent") if name in operation.arguments), None
    )
    if float(operation.argument("alpha", 1)) != 1 or operation.argument("rounding_mode") is not None:
        raise NoRule
    compute = ARITHMETIC[operation.name]
    if not moves(step, other) and isinstance(one, Value):
        numbers = nodes_of(step, other)
        return of_one(step, one, lambda x: compute(x, numbers))
    if not moves(step, one) and isinstance(other, Value):
        numbers = nodes_of(step, one)
        return of_one(step, other, lambda x: compute(numbers, x))
    if not isinstance(one, Value) or not isinstance(other, Value):
        raise NoRule
    if step.states[one].spread.base is step.states[other].spread.base:
        return of_two(step, one, other, compute)
    if operation.name in ("add", "radd", "iadd"):
        return total(step, one, other, 1.0)
    if operation.name in ("sub", "isub", "subtract"):
        return total(step, one, other, -1.0)
    if operation.name in ("mul", "multiply", "rmul", "imul"):
        return gated(step, one, other)
    raise NoRule


def moves(step: Step, operand: Any) -> bool:
    """Whether an operand depends on the sample."""
    return isinstance(operand, Value) and not (step.states[operand].batch is None and step.states[operand].is_constant)


def nodes_of(step: Step, operand: Any) -> Tensor:
    """A constant as it meets values at nodes."""
    if isinstance(operand, Value):
        return step.states[operand].mean[..., None]
    return torch.tensor(float(operand), dtype=torch.float64)


def slopes(function: Callable[..., Tensor], *values: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The values of an elementwise function and its slopes by each argument."""
    with torch.inference_mode(False), torch.enable_grad():
        leaves = [value.detach().clone().requires_grad_() for value in values]
        made = function(*leaves)
        if not made.requires_grad:
            return made.detach(), tuple(torch.zeros_like(leaf) for leaf in leaves)
        found = torch.autograd.grad(made.sum(), leaves, materialize_grads=True, allow_unused=True)
    return made.detach(), found


def of_one(
    step: Step, value: Value, function: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor] | None = None
) -> Made:
    """A function of one value."""
    state = step.states[value]
    fan = state.spread
    if slope is None:
        values, (slope_at,) = slopes(function, fan.values)
    else:
        values, slope_at = function(fan.values), slope(fan.values)
    if values.shape != fan.values.shape:
        raise NoRule  # a constant of more axes
    made = spread_state(state, values)
    share = alike_after(state, made, slope_at)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        return {value: above[0].times(slope_at, fan.base)} if above[0] else {}

    return Made((made.plain(fan=made.fan, alike=share),), pull)


def of_two(step: Step, one: Value, other: Value, function: Callable[[Tensor, Tensor], Tensor]) -> Made:
    """A function of two values that are functions of the same Gaussian."""
    left, right = step.states[one], step.states[other]
    base = left.spread.base
    values, (by_one, by_other) = slopes(function, left.spread.values, right.spread.values)

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        if one is other:
            return {one: above[0].times(by_one + by_other, base)}
        return {one: above[0].times(by_one, base), other: above[0].times(by_other, base)}

    return Made((spread_state(left, values),), pull)


def spread_state(state: State, values: Tensor) -> State:
    """The state of what has these values at the nodes of the Gaussian that ``state`` is made from."""
    base = state.spread.base
    mean = base.mean(values)
    variance = base.mean((values - mean[..., None]).square())
    return state.plain(mean=mean, variance=variance, fan=Fan(base, values))


def alike_after(before: State, after: State, slope: Tensor) -> float:
    """The correlation of positions behind a function: to second order in the one before it."""
    if before.alike in (0.0, 1.0):
        return before.alike
    share = before.variance * before.spread.base.mean(slope).square()
    whole = float(after.variance.sum())
    straight = min(1.0, float(share.sum()) / whole) if whole > 0 else 1.0
    return straight * before.alike + (1 - straight) * before.alike**2


def total(step: Step, one: Value, other: Value, sign: float) -> Made:
    """A sum of two values that are not made from one Gaussian, as at the end of a residual branch."""
    left, right = step.states[one], step.states[other]
    check_batches(left, right)
    mean, variance = left.mean + sign * right.mean, left.variance + right.variance

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        here = above[0]
        down = here if left.mean.shape == mean.shape else narrowed(here, left)
        there = here if right.mean.shape == mean.shape and sign == 1 else narrowed(here, right, sign)
        return {one: down, other: there}

    return Made((merged(left, right, mean, variance),), pull)


def gated(step: Step, one: Value, other: Value) -> Made:
    """A product of two values that vary by themselves: a gate."""
    left, right = step.states[one], step.states[other]
    check_batches(left, right)
    mean = left.mean * right.mean
    variance = left.square * right.square - mean.square()

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        if above[0] is None:
            return {}
        return {
            one: narrowed(above[0], left, right.mean, right.square),
            other: narrowed(above[0], right, left.mean, left.square),
        }

    return Made((merged(left, right, mean, variance.clamp(min=0)),), pull)


def merged(left: State, right: State, mean: Tensor, variance: Tensor) -> State:
    """The state of a sum or product."""
    wide = left if left.batch is not None and (left.mean.ndim >= right.mean.ndim or right.batch is None) else right
    batch = None if wide.batch is None else wide.batch + mean.ndim - wide.mean.ndim
    parts = float(left.variance.mean()), float(right.variance.mean())
    alike = (parts[0] * left.alike + parts[1] * right.alike) / sum(parts) if sum(parts) > 0 else wide.alike
    return wide.plain(mean=mean, variance=variance, batch=batch, alike=alike, measured=left.measured or right.measured)


def narrowed(above: Cotangent, state: State, factor: Tensor | float = 1.0, square: Tensor | None = None) -> Cotangent:
    """A gradient times a factor, summed over the axes along which ``state`` was repeated."""
    factor = torch.as_tensor(factor, dtype=torch.float64)
    seed = above.seed.times(factor, factor.square() if square is None else square)
    count, shape = seed.ways.shape[0], state.mean.shape
    ways, variance = seed.ways.sum_to_size(count, *shape), seed.variance.sum_to_size(shape)
    return Cotangent.of(Seed(ways, variance, seed.common))


def check_batches(left: State, right: State) -> None:
    """Refuse two values whose samples do not lie alike."""
    moving = [state for state in (left, right) if state.batch is not None]
    if len({(state.batch or 0) - state.mean.ndim for state in moving}) > 1 or len({one.outer for one in moving}) > 1:
        raise NoRule


rule(*UNARY)(unary)
rule(*CASTS)(unchanged)
