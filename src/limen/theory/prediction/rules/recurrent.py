"""Recurrent layers, which torch computes in one call: written out step by step, and then walked like a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limen.activations import Activation, get
from limen.anatomy.tape import Operation, Value, values_in
from limen.theory.prediction.cotangent import Cotangent, added
from limen.theory.prediction.step import Made, NoRule, Step, applied, rule

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
"""How many rows of blocks the weights of a cell have."""


@dataclass
class Script:
    """Operations as a model would have made them."""

    like: Value
    operations: list[Operation] = field(default_factory=list)

    def call(
        self, name: str, shape: tuple[int, ...], activation: Activation | None = None, /, **arguments: Any
    ) -> Value:
        """One call with one result."""
        return self.calls(name, [shape], activation, **arguments)[0]

    def calls(
        self, name: str, shapes: list[tuple[int, ...]], activation: Activation | None = None, /, **arguments: Any
    ) -> list[Value]:
        """One call with several results."""
        given = {key.lstrip("_"): argument for key, argument in arguments.items()}
        inputs = tuple(values_in(given))
        operation = Operation(name, len(self.operations), "", activation, given, inputs)
        dtype = self.like.dtype
        operation.outputs.extend(
            Value(shape, dtype, "operation", maker=operation, output=place) for place, shape in enumerate(shapes)
        )
        self.operations.append(operation)
        return operation.outputs

    def apply(self, name: str, value: Value) -> Value:
        """An activation of the catalogue."""
        return self.call(name, value.shape, get(name), input=value)

    def combine(self, name: str, one: Value, other: Any) -> Value:
        """A sum or product of two values of one shape, or of a value and a number."""
        return self.call(name, one.shape, input=one, other=other)


@dataclass(frozen=True)
class Cell:
    """The weights of one layer in one direction."""

    kind: str
    weights: tuple[Value, ...]

    def linear(self, script: Script, value: Value, which: int) -> Value:
        """The input (0) or the state (1) through its weight."""
        weight = self.weights[which]
        bias = self.weights[2 + which] if len(self.weights) >= 4 else None
        return script.call("linear", (value.shape[0], weight.shape[0]), input=value, weight=weight, bias=bias)

    def step(self, script: Script, inner: Value, states: list[Value | None]) -> list[Value | None]:
        """The states after one more input, whose product with the weight is ``inner``."""
        hidden, carried = states
        outer = self.linear(script, hidden, 1) if hidden is not None else self.without_state(script, inner)
        rows, size = inner.shape[0], inner.shape[1] // GATES[self.kind]
        if self.kind == "gru":
            return [self.gru(script, inner, outer, hidden, (rows, size)), None]
        total = script.combine("add", inner, outer)
        if self.kind != "lstm":
            return [script.apply(self.kind.removeprefix("rnn_"), total), None]
        opens, keeps, new, shows = script.calls("chunk", [(rows, size)] * 4, input=total, chunks=4, dim=1)
        fresh = script.combine("mul", script.apply("sigmoid", opens), script.apply("tanh", new))
        if carried is not None:
            kept = script.combine("mul", script.apply("sigmoid", keeps), carried)
            fresh = script.combine("add", kept, fresh)
        return [script.combine("mul", script.apply("sigmoid", shows), script.apply("tanh", fresh)), fresh]

    def gru(self, script: Script, inner: Value, outer: Value, hidden: Value | None, shape: tuple[int, int]) -> Value:
        """``(1 - z) n + z h``."""
        parts = (script.calls("chunk", [shape] * 3, input=value, chunks=3, dim=1) for value in (inner, outer))
        (reset, update, new), (reset_by, update_by, new_by) = parts
        reset = script.apply("sigmoid", script.combine("add", reset, reset_by))
        update = script.apply("sigmoid", script.combine("add", update, update_by))
        new = script.apply("tanh", script.combine("add", new, script.combine("mul", reset, new_by)))
        fresh = script.combine("mul", script.combine("rsub", update, 1), new)
        return fresh if hidden is None else script.combine("add", fresh, script.combine("mul", update, hidden))

    def without_state(self, script: Script, inner: Value) -> Value:
        """What a state of zeros adds: the bias alone."""
        nothing = script.combine("mul", inner, 0.0)
        return script.combine("add", nothing, self.weights[3]) if len(self.weights) >= 4 else nothing


@rule(*GATES)
def recurrent(step: Step) -> Made:
    """Layers, directions and steps one after another; an initial state of zeros."""
    operation, value = step.operation, step.value("input")
    argument = operation.argument
    first = bool(argument("batch_first"))
    if "batch_sizes" in operation.arguments or len(value.shape) != 3 or step.state("input").batch != 1 - first:
        raise NoRule
    for given in values_in(argument("hx")):
        if not step.states[given].is_constant or step.states[given].mean.any():
            raise NoRule
    params, layers, both = (
        list(values_in(argument("params"))),
        int(argument("num_layers")),
        bool(argument("bidirectional")),
    )
    directions = 2 if both else 1
    each = len(params) // (layers * directions)
    if each not in (2, 4):  # projections
        raise NoRule
    script = Script(value)
    sequence = [
        script.call("select", (value.shape[1 - first], value.shape[2]), input=value, _1=int(first), _2=place)
        for place in range(value.shape[int(first)])
    ]
    ends: list[list[Value | None]] = []
    for layer in range(layers):
        if layer and argument("dropout") and argument("train"):
            sequence = [
                script.call("dropout", one.shape, input=one, p=float(argument("dropout")), train=True)
                for one in sequence
            ]
        ways: list[list[Value]] = []
        for direction in range(directions):
            at = (layer * directions + direction) * each
            cell = Cell(operation.name, tuple(params[at : at + each]))
            outputs, states = run(script, cell, sequence[::-1] if direction else sequence)
            ways.append(outputs[::-1] if direction else outputs)
            ends.append(states)
        sequence = [joined(script, pair) for pair in zip(*ways, strict=True)]
    results = [stacked(script, sequence, int(first))]
    for which in range(len(operation.outputs) - 1):
        results.append(stacked(script, [state for states in ends if (state := states[which]) is not None], 0))
    return walked(step, script, [value], results)


@rule("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def one_step(step: Step) -> Made:
    """A single step, as a loop of the model's own takes."""
    operation, value = step.operation, step.value("input")
    states = list(values_in(operation.argument("hx")))
    weights = [operation.argument(name) for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
    if len(value.shape) != 2 or any(len(state.shape) != 2 for state in states):
        raise NoRule
    script = Script(value)
    cell = Cell(operation.name.removesuffix("_cell"), tuple(one for one in weights if isinstance(one, Value)))
    before: list[Value | None] = [states[0], states[1] if len(states) > 1 else None]
    after = cell.step(script, cell.linear(script, value, 0), before)
    return walked(step, script, [value, *states], [state for state in after if state is not None])


def run(script: Script, cell: Cell, sequence: list[Value]) -> tuple[list[Value], list[Value | None]]:
    """One layer in one direction: its states at each step, and the last."""
    states: list[Value | None] = [None, None]
    outputs: list[Value] = []
    for value in sequence:
        states = cell.step(script, cell.linear(script, value, 0), states)
        assert states[0] is not None
        outputs.append(states[0])
    return outputs, states


def joined(script: Script, pair: tuple[Value, ...]) -> Value:
    """Both directions side by side."""
    if len(pair) == 1:
        return pair[0]
    shape = (pair[0].shape[0], sum(value.shape[1] for value in pair))
    return script.call("cat", shape, tensors=pair, dim=1)


def stacked(script: Script, values: list[Value], axis: int) -> Value:
    """The steps along an axis."""
    rows, units = values[0].shape
    shape = (len(values), rows, units) if axis == 0 else (rows, len(values), units)
    return script.call("stack", shape, tensors=tuple(values), dim=axis)


def walked(step: Step, script: Script, sources: list[Value], results: list[Value]) -> Made:
    """The rule of a script: up and down its operations, as for those of a model."""
    states = step.states.copy()
    made: list[Made] = []
    for operation in script.operations:
        made.append(applied(Step(operation, states, step.samples, {})))
        states.update(zip(operation.outputs, made[-1].states, strict=True))

    def pull(above: tuple[Cotangent | None, ...]) -> Mapping[Value, Cotangent]:
        found = {result: one for result, one in zip(results, above, strict=True) if one is not None}
        for operation, one in zip(reversed(script.operations), reversed(made), strict=True):
            given = tuple(found.get(output) for output in operation.outputs)
            if any(given):
                for below, cotangent in one.pull(given).items():
                    found[below] = added(found.get(below), cotangent)
        return {source: found[source] for source in sources if source in found}

    return Made(tuple(states[result] for result in results), pull)
