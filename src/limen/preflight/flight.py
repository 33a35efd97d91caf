"""What the checks see: one forward and backward pass of a model before its training, as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor, nn

from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of
from limen.preflight.chains import dependent
from limen.preflight.losses import LossCall
from limen.preflight.numbers import Numbers

__all__ = ["Activity", "Flight", "OptimiserFacts", "titled"]


def titled(place: str) -> str:
    """What a sentence calls a place: its name, or ``layer 0`` where that is only a number.

    >>> titled("fc1"), titled("0")
    ('fc1', 'layer 0')
    """
    return place if any(letter.isalpha() for letter in place) else f"layer {place}"


@dataclass(frozen=True, eq=False)
class Activity:
    """Which units of an activation the sample moved.

    Attributes:
        positions: at how many places each unit was evaluated.
        silent: indices of the units that were flat on their dead side at all of them.
        units: number of units.
        mean: ``[units]``, float64, mean of the pre-activation.
        std: ``[units]``, float64, its standard deviation over positions.
        flat: share of all places at which the slope is below 1 % of the steepest.
    """

    positions: int
    silent: tuple[int, ...]
    units: int
    mean: Tensor
    std: Tensor
    flat: float


@dataclass(frozen=True, eq=False)
class OptimiserFacts:
    """One optimiser.

    Attributes:
        kind: its class, for instance ``AdamW``.
        adaptive: whether each entry's step is scaled by its own gradient history.
        held: ids of the tensors that it updates.
        foreign: shapes of those that are no parameters of the model.
        rates: learning rate by id of the tensor.
    """

    kind: str
    adaptive: bool
    held: frozenset[int]
    foreign: tuple[tuple[int, ...], ...]
    rates: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Flight:
    """One pass of a model over a sample, and what is known of its training.

    Attributes:
        model: the model, for its parameters and the settings of its modules.
        tape: the operations of the pass and of the loss.
        losses: the known losses.
        numbers: figures of values, by their id: of inputs, outputs, predictions, targets.
        activity: what the sample did to each activation, by id of the operation.
        gradients: L2 norm of the gradient at the result of each layer, by id of the value; empty without a backward
            pass.
        reached: names of the parameters that a gradient reaches; None where that could not be seen.
        cut: operations with a gradient in front and none behind.
        in_place: operations that overwrote their input.
        hidden: parameters that are used and that ``model.parameters()`` does not tell, with the operation.
        trouble: what the backward pass raised; empty where it went well.
        optimisers: those that will train the model; None where none was given.
        has_loss: whether a loss was given, known or not.
        loss: its value on the sample; None where it was not computed.
        squares: squared norm of the loss gradient at parameters that an optimiser without adaptive steps holds, by id.
    """

    model: nn.Module
    tape: Tape
    losses: tuple[LossCall, ...] = ()
    numbers: Mapping[int, Numbers] = field(default_factory=dict)
    activity: Mapping[int, Activity] = field(default_factory=dict)
    gradients: Mapping[int, float] = field(default_factory=dict)
    reached: frozenset[str] | None = None
    cut: tuple[Operation, ...] = ()
    in_place: tuple[Operation, ...] = ()
    hidden: tuple[tuple[Operation, nn.Parameter], ...] = ()
    trouble: str = ""
    optimisers: tuple[OptimiserFacts, ...] | None = None
    has_loss: bool = False
    loss: float | None = None
    squares: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def maps(self) -> tuple[LinearMap, ...]:
        """The weights applied to what follows from the sample, in their order."""
        moved = dependent(self.tape)
        found = [linear_map_of(operation) for operation in self.tape.operations]
        return tuple(m for m in found if m is not None and (m.data is None or id(m.data) in moved))

    @cached_property
    def map_at(self) -> Mapping[int, LinearMap]:
        """The same by id of the operation."""
        return {id(one.operation): one for one in self.maps}

    @property
    def activations(self) -> Iterator[Operation]:
        """The activations, in their order."""
        return (one for one in self.tape.operations if one.activation is not None and one.activation.name != "identity")

    def numbers_at(self, value: Value | None) -> Numbers | None:
        """The figures of a value, or None."""
        return self.numbers.get(id(value))

    def place(self, operation: Operation) -> str:
        """What to call an operation: the module that is nothing else, else its owner and function."""
        name = operation.activation.name if operation.activation is not None else operation.name
        if not operation.path:
            return name
        if type(self.model.get_submodule(operation.path)).__module__.startswith("torch.nn"):
            return operation.path
        own = [one for one in self.tape.operations if one.path == operation.path and one.name == operation.name]
        others = any(one.path == operation.path and one.name != operation.name for one in self.tape.operations)
        if not others:
            return operation.path
        number = f"#{own.index(operation) + 1}" if len(own) > 1 else ""
        return f"{operation.path}.{name}{number}"

    def call(self, operation: Operation) -> str:
        """An operation as a sentence tells it: ``softmax (head.1)``, or ``softmax`` alone in the model's own code."""
        name = operation.activation.name if operation.activation is not None else operation.name
        place = self.place(operation)
        return name if place == name else f"{name} ({titled(place)})"

    def layer(self, found: LinearMap) -> str:
        """The module that owns a weight, or the weight's name where that is a bare parameter of the model."""
        name = found.weight.name.partition(".parametrizations.")[0]
        if name != found.weight.name:
            return name
        owner, _, leaf = found.weight.name.rpartition(".")
        return owner if owner and leaf == "weight" else found.weight.name
