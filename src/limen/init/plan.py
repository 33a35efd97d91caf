"""From a tape to what each parameter is to become."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from limen.activations import Activation
from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of
from limen.init.choices import Choices
from limen.init.layers import Surroundings, bias_of, fans, longest_runs, surroundings
from limen.init.operations import NORMALISES, RECURRENT, adds_bias
from limen.init.recurrent import recurrent_settings
from limen.init.residual import Branch, branches
from limen.init.settings import Setting
from limen.init.states import Measured, State, after, observed, of_leaf
from limen.init.targets import PLAIN, Target, target_of

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Settings in the order of first use.

    Attributes:
        settings: one for each parameter that a rule is for.
        guessed: whether something was taken as it acted on the sample.
        warnings: what cannot be had as it was asked for.
    """

    settings: tuple[Setting, ...]
    guessed: bool
    warnings: tuple[str, ...]


def plan(tape: Tape, choices: Choices, measured: Measured) -> Plan:
    """What to do with every parameter that the pass uses.

    Each layer undoes what the functions before it did to the second moment, and gives the function after it
    pre-activations of the variance that it wants.
    """
    planner = _Planner(tape, choices, measured)
    for operation in tape.operations:
        planner.read(operation)
    return Plan(tuple(planner.settings), planner.guessed, tuple(planner.warnings))


@dataclass(eq=False)
class _Planner:
    tape: Tape
    choices: Choices
    measured: Measured
    settings: list[Setting] = field(default_factory=list)
    guessed: bool = False
    warnings: dict[str, None] = field(default_factory=dict)
    _states: dict[int, State] = field(default_factory=dict)
    _stds: dict[int, float] = field(default_factory=dict)  # of weights that have been decided, by the id of their value

    def __post_init__(self) -> None:
        self._runs = longest_runs(self.tape)
        self._branches = branches(self.tape)
        self._ends = {id(one.last.operation): one for one in self._branches if one.last is not None}
        uses = [found for one in self.tape.operations if (found := linear_map_of(one)) is not None]
        self._shown = {id(one.weight) for one in uses if one.data is not None}
        for value in self.tape.inputs:
            found = self.measured.get((-1, value.name))
            self._states[id(value)] = State(found[1], found[0]) if found else State(guessed=True)

    def read(self, operation: Operation) -> None:
        layer = linear_map_of(operation)
        for place, value in enumerate(operation.inputs):
            if id(value) not in self._states:
                self._states[id(value)] = self._unseen(operation, place, value)
        if operation.name in RECURRENT:
            state = self._recurrent(operation)
        elif layer is not None:
            state = self._embedding(layer) if layer.data is None else self._layer(layer)
        elif adds_bias(operation):
            made = next(value for value in operation.inputs if value.source == "operation")
            state = self._states[id(made)]
        else:
            state = after(operation, self._states, self.measured)
            if operation.name in NORMALISES:
                self.settings += self._affine(operation)
            if operation.activation is not None:
                state = self._marked(state, operation.activation)
        self._states.update((id(made), state) for made in operation.outputs)

    def _unseen(self, operation: Operation, place: int, value: Value) -> State:
        """A parameter or buffer as it is; a tensor that the code made, as it was on the sample."""
        found = self.measured.get((operation.order, f"in{place}"))
        return State(found[1], found[0]) if value.leaf is None and found else of_leaf(value)

    def _marked(self, state: State, function: Activation) -> State:
        """Whether the next layer is to be blind to the mean."""
        layers = self._runs.get(function, 0)
        return replace(state, centred=bool(layers) and target_of(function, self.choices, layers).centred)

    def _untouchable(self, value: Value, exact: bool = True) -> str:
        """Why a parameter is left as it is; empty for one that can be set."""
        leaf = value.leaf
        if id(value) in self._stds:
            return "tied: set where it is first used"
        if leaf is None or not leaf.is_floating_point():
            return "not a floating-point parameter"
        if not leaf.requires_grad:
            return "frozen"
        return "" if exact else "computed from other parameters (a parametrisation)"

    def _layer(self, layer: LinearMap) -> State:
        assert layer.data is not None
        x = self._states[id(layer.data)]
        if layer.operation.name == "bilinear":
            x = replace(x, square=x.square * self._states[id(layer.operation.inputs[1])].square, slope=None)
        place = surroundings(self.tape, layer)
        reason = self._untouchable(layer.weight, layer.exact)
        if reason:
            return self._left(layer, x, place, reason)
        self.guessed |= x.guessed
        branch = self._ends.get(id(layer.operation))
        target = self._target(place, branch)
        bias = bias_of(self.tape, layer)
        free = bias is not None and not self._untouchable(bias)
        hidden = place.function is not None and not place.is_output
        constant = self.choices.bias if free and hidden else 0.0
        drawn = target.bias_variance if free else 0.0
        remarks = [target.remark]
        seen = x.seen
        if not (math.isfinite(seen) and seen > 0):
            seen = 1.0
            remarks.append("its input is 0 or not finite: variance 1 assumed")
        if target.bias_variance and not free:
            remarks.append("no bias to draw")
        std = self._std(layer, x, seen, place, max(target.variance - drawn, 0.0))
        into, _ = fans(layer, place.blocks)
        variance = into * std**2 * seen + drawn
        remarks.append("from its actual input" if layer.data.source == "input" and not x.guessed else "")
        remarks.append("input of variance 1 assumed" if layer.data.source == "input" and x.guessed else "")
        if constant and constant**2 < variance:
            std *= math.sqrt(1 - constant**2 / variance)
            remarks.append(f"biases {constant:g}")
        remarks.append(f"biases of variance {drawn:.4g}" if drawn else "")
        self.settings.append(
            Setting(
                layer.weight,
                self.choices.drawn,
                std,
                unit_axis=layer.unit_axis,
                input_axis=layer.input_axis,
                groups=layer.groups,
                blocks=place.blocks,
                tapped=layer.operation.name.startswith("conv"),
                centred=x.centred,
                function=f"{named(x)} → {place.label}",
                fan=layer.fan_in,
                variance=variance,
                rule=target.rule,
                remark="; ".join(filter(None, remarks)),
            )
        )
        self._stds[id(layer.weight)] = std
        if bias is not None and free:
            way = "normal" if drawn else "constant"
            self.settings.append(Setting(bias, way, math.sqrt(drawn), constant, weights=False))
            self._stds[id(bias)] = math.sqrt(drawn)
        return State(variance, slope=1.0, origin=variance, run=x.run, guessed=x.guessed)

    def _target(self, place: Surroundings, branch: Branch | None) -> Target:
        """What the values that a layer makes are wanted to be."""
        if place.is_output:
            target = replace(PLAIN, rule="output")
        elif place.normalised:
            target = replace(PLAIN, remark="before a normalisation")
        elif place.function is None:
            target = PLAIN
        else:
            target = target_of(place.function, self.choices, self._runs.get(place.function, 1))
            if target.warning:
                self.warnings[target.warning] = None
        if place.terms > 1:
            share = f"one of {place.terms} that are added"
            target = replace(
                target,
                variance=target.variance / place.terms,
                bias_variance=target.bias_variance / place.terms,
                remark="; ".join(filter(None, [target.remark, share])),
            )
        return target if branch is None or not self.choices.residual else self._at_branch_end(target, branch)

    def _at_branch_end(self, target: Target, branch: Branch) -> Target:
        """A residual branch adds ``1 / depth`` of the skip's second moment, unless something else limits it."""
        if branch.normalised:
            return replace(target, remark="; ".join(filter(None, [target.remark, "normalised residual branch"])))
        if branch.scale is not None and not self._untouchable(branch.scale):
            self._stds[id(branch.scale)] = 0.0
            self._states[id(branch.scale)] = State(0.0)
            self.settings.append(Setting(branch.scale, "constant", rule="residual", remark="the branch begins at 0"))
            return replace(target, rule="residual", remark="a scale of 0 follows")
        skip = self._states[id(branch.skip)].square
        remark = f"last of a residual branch: 1/{branch.depth} of the variance it is added to"
        return Target(skip / branch.depth, 0.0, False, "residual", remark)

    def _std(self, layer: LinearMap, x: State, seen: float, place: Surroundings, wanted: float) -> float:
        into, out = fans(layer, place.blocks)
        forward = wanted / (into * seen)
        if self.choices.keep == "forward" or place.is_output or not x.slope:
            return math.sqrt(forward)
        forward *= x.origin / wanted if wanted > 0 else 1.0
        backward = 1 / (out * x.slope)
        return math.sqrt(backward if self.choices.keep == "backward" else 2 / (1 / forward + 1 / backward))

    def _left(self, layer: LinearMap, x: State, place: Surroundings, reason: str) -> State:
        """A weight that stays: what it does with its input is what its numbers do."""
        into, _ = fans(layer, place.blocks)
        std = self._stds.get(id(layer.weight), math.sqrt(of_leaf(layer.weight).square))
        square = into * std**2 * x.square
        state = State(square, slope=1.0, origin=square, run=x.run, guessed=x.guessed)
        if not layer.exact:
            state = observed(layer.operation, ("in0", x), self.measured)
        if id(layer.weight) not in self._stds:
            function = f"{named(x)} → {place.label}"
            self.settings.append(
                Setting(
                    layer.weight,
                    "left",
                    function=function,
                    fan=layer.fan_in,
                    variance=state.square,
                    rule="left",
                    remark=reason,
                )
            )
            self._stds[id(layer.weight)] = std
        return state

    def _embedding(self, layer: LinearMap) -> State:
        """Rows of variance 1; ``1 / width`` where the same weights are the output layer."""
        width = layer.weight.shape[layer.unit_axis]
        std = 1 / math.sqrt(width) if id(layer.weight) in self._shown else 1.0
        reason = self._untouchable(layer.weight)
        if reason:
            if id(layer.weight) not in self._stds:
                self.settings.append(Setting(layer.weight, "left", rule="left", remark=reason))
                self._stds[id(layer.weight)] = math.sqrt(of_leaf(layer.weight).square)
            return State(self._stds[id(layer.weight)] ** 2)
        blank = layer.operation.argument("padding_idx")
        remark = "tied to weights that make outputs: 1 / width" if std < 1 else ""
        way = "uniform" if self.choices.drawn == "uniform" else "normal"
        self.settings.append(
            Setting(
                layer.weight,
                way,
                std,
                unit_axis=layer.unit_axis,
                input_axis=layer.input_axis,
                blank=blank if isinstance(blank, int) else None,
                function="embedding",
                fan=1,
                variance=std**2,
                rule="embedding",
                remark=remark,
            )
        )
        self._stds[id(layer.weight)] = std
        return State(std**2, source="embedding")

    def _affine(self, operation: Operation) -> Iterator[Setting]:
        """Scale and shift of a normalisation: 1 and 0."""
        for name, constant in (("weight", 1.0), ("bias", 0.0)):
            value = operation.argument(name)
            if isinstance(value, Value) and value.source == "parameter" and not self._untouchable(value):
                self._stds[id(value)] = 0.0
                yield Setting(value, "constant", constant=constant, weights=False)

    def _recurrent(self, operation: Operation) -> State:
        x = self._states[id(operation.inputs[0])]
        for setting in recurrent_settings(operation, x, self.choices):
            reason = self._untouchable(setting.value)
            if not reason:
                self.settings.append(setting)
            elif id(setting.value) not in self._stds and setting.weights:
                self.settings.append(Setting(setting.value, "left", rule="left", remark=reason))
            self._stds[id(setting.value)] = setting.std
        return State(
            source=operation.name.removesuffix("_cell")
        )  # bounded: its readers do not make up for small states


def named(x: State) -> str:
    return x.source if x.function is None else x.function.name
