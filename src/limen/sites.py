"""Where things are in a model: the addresses that every other room speaks of."""

from dataclasses import dataclass

__all__ = ["Parameter", "Site"]


@dataclass(frozen=True)
class Site:
    """One application of an activation function in a model.

    Attributes:
        name: unique in a run, what reports print: ``features.1`` for a module, ``block.relu#2`` for the second
            functional call in the forward pass of ``block``.
        path: dotted path of the module that owns the call; empty for the model itself.
        function: name of the activation in the catalogue, for instance ``relu``.
        call: which call of this function by this owner within one forward pass, from 1.
        units: number of features of the producing layer.
        axis: the unit axis of the pre-activation: -1 after Linear, 1 after a convolution.
        layer: dotted path of the layer whose weights make the pre-activation; None where none was found.
        norm: dotted path of a normalisation between that layer and the site; None where there is none.
        order: position along the forward pass, 0 nearest the input.
        head: True when no weights stand between this site and the loss.
        model: name of the model it belongs to, when a script trains several.
        flat_left: every ``z <= flat_left`` is flat (slope below 1 % of the steepest); None where no such side exists.
        flat_right: every ``z >= flat_right`` is flat; None where no such side exists.
        dead_left: True when the output is about zero on the flat left side, so that a unit there is *dead*, not
            *saturated*.
        monotone: True when the function never falls.
    """

    name: str
    path: str
    function: str
    call: int
    units: int
    axis: int
    layer: str | None
    norm: str | None
    order: int
    head: bool
    model: str = ""
    flat_left: float | None = None
    flat_right: float | None = None
    dead_left: bool = False
    monotone: bool = True

    @property
    def title(self) -> str:
        """What a sentence calls it: its name, or ``tanh after layer 0`` where that is only a number.

        ``nn.Sequential`` names its members 0, 1, 2.
        """
        if any(character.isalpha() for character in self.name):
            return self.name
        place = f"after layer {self.layer}" if self.layer else f"at {self.name}" if self.name else "of the model"
        return f"{self.function} {place}" + (f", call {self.call}" if self.call > 1 else "")

    @property
    def described(self) -> str:
        """The same with the function, in any case: ``features.1 (relu)`` or ``tanh after layer 0``."""
        return f"{self.name} ({self.function})" if self.title == self.name else self.title


@dataclass(frozen=True)
class Parameter:
    """One trained tensor.

    Attributes:
        name: dotted path, for instance ``fc1.weight``.
        layer: dotted path of the module that holds it.
        shape: its shape.
        order: position along the forward pass, 0 nearest the input.
        weight: True for a matrix or kernel (two axes or more), False for biases, scales and shifts.
        shards: number of processes that hold a part of it each, and see the norms of their part; 1 where each
            process holds the whole.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    order: int
    weight: bool
    shards: int = 1
