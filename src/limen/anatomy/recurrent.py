"""The gates inside torch's recurrent layers, which their fused kernels never show.

A layer's input, its first state and the states it returns determine the pre-activations of all its gates: each is a sum
of two products. So they are computed again, for some sequences of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["GATES", "Cell", "Gate", "RecurrentCall", "is_recurrent", "recurrent_call"]

GATES = {
    "lstm": {"input": "sigmoid", "forget": "sigmoid", "cell": "tanh", "output": "sigmoid", "state": "tanh"},
    "gru": {"reset": "sigmoid", "update": "sigmoid", "new": "tanh"},
    "rnn_tanh": {"hidden": "tanh"},
    "rnn_relu": {"hidden": "relu"},
}
"""By kind of layer: its gates in the order in which its weights hold them, and their functions.

``state`` is the tanh that an LSTM applies to its cell state; it has no weights of its own.
"""

_LAYERS: dict[Any, str] = {torch.lstm: "lstm", torch.gru: "gru", torch.rnn_tanh: "rnn_tanh", torch.rnn_relu: "rnn_relu"}
_CELLS: dict[Any, str] = {
    torch.lstm_cell: "lstm",
    torch.gru_cell: "gru",
    torch.rnn_tanh_cell: "rnn_tanh",
    torch.rnn_relu_cell: "rnn_relu",
}
_RECURRENT = frozenset((*_LAYERS, *_CELLS))

Sizes = Sequence[int]  # of packed sequences: how many still run at each time step, most at first


class Cell(NamedTuple):
    """The weights of one layer and direction: ``[gates * hidden, …]``; ``w_hr``, ``[projected, hidden]``, projects."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None = None
    b_hh: Tensor | None = None
    w_hr: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate of one layer and direction.

    Attributes:
        name: such as ``l0.forget`` or ``l1_reverse.new``; without a layer for a single cell.
        function: of the catalogue.
        z: ``[samples, hidden]``, its pre-activations, time by time.
    """

    name: str
    function: str
    z: Tensor


@dataclass(frozen=True, eq=False)
class RecurrentCall:
    """A call of a recurrent layer or cell, before it ran.

    Attributes:
        kind: a key of ``GATES``.
        data: ``[positions, features]`` where packed, else as given.
        sizes: of packed sequences; None where all are of one length, or it is one step of a cell.
        hidden: ``[layers * directions, batch, …]``, the first hidden state, and the first cell state of an LSTM.
        cells: one for each layer and direction, or a single one.
        single: one step of a cell.
        dropped: dropout stands between the layers, so that only the lowest one's input is known.
        bidirectional: each layer runs both ways.
        batch_first: of data that is not packed.
    """

    kind: str
    data: Tensor
    sizes: Sizes | None
    hidden: tuple[Tensor, ...]
    cells: tuple[Cell, ...]
    single: bool
    dropped: bool
    bidirectional: bool
    batch_first: bool

    @property
    def sequences(self) -> int:
        """How many there are in the batch."""
        return self.hidden[0].shape[-2]

    @property
    def positions(self) -> int:
        """Batch times time, without the padding of packed sequences."""
        return self.data.shape[:-1].numel()

    @property
    def unknown_layers(self) -> tuple[int, ...]:
        """Layers, from 0, whose gates cannot be known."""
        layers = len(self.cells) // (2 if self.bidirectional else 1)
        return tuple(range(1, layers)) if self.dropped else ()

    @torch.no_grad()
    def gates(self, result: Sequence[Tensor] | Tensor, first: int = 0, stride: int = 1) -> list[Gate]:
        """The pre-activations of all gates that can be known, at least in float32, lowest layer first.

        Args:
            result: what the call returned.
            first: the first sequence of the batch to compute them for, below ``stride``.
            stride: from one sequence to the next.
        """
        dtype = torch.float64 if self.data.dtype == torch.float64 else torch.float32
        with torch.autocast(self.data.device.type, enabled=False):
            if self.single:
                return list(self._of_step(result, slice(first, None, stride), dtype))
            return list(self._of_layers(result[0], first, stride, dtype))

    def _of_step(self, result: Sequence[Tensor] | Tensor, rows: slice, dtype: torch.dtype) -> Iterator[Gate]:
        before = self.hidden[0][rows].to(dtype)
        found = sums(self.kind, widened(self.cells[0], dtype), self.data[rows].to(dtype), before)
        if self.kind == "lstm":
            found = [*found, result[1][rows].to(dtype)]
        yield from self._named("", found)

    def _of_layers(self, output: Tensor, first: int, stride: int, dtype: torch.dtype) -> Iterator[Gate]:
        x, sizes = self._packed(self.data, first, stride)
        x, top = x.to(dtype), self._packed(output, first, stride)[0].to(dtype)
        states = [state[:, first::stride].to(dtype) for state in self.hidden]
        directions = 2 if self.bidirectional else 1
        layers = 1 if self.dropped else len(self.cells) // directions
        for layer in range(layers):
            last = (layer + 1) * directions == len(self.cells)
            after = list(top.chunk(directions, dim=1)) if last else []
            for direction in range(directions):
                number = layer * directions + direction
                cell = widened(self.cells[number], dtype)
                start = [state[number] for state in states]
                walk = Walk(sizes, reverse=direction == 1)
                if not last:
                    after.append(walk.run(self.kind, cell, x, start))
                found = sums(self.kind, cell, x, walk.before(after[direction], start[0]))
                if self.kind == "lstm":
                    found = [*found, walk.cell_states(found, start[1])]
                yield from self._named(f"l{layer}{'_reverse' * direction}.", found)
            x = torch.cat(after, dim=1)

    def _packed(self, data: Tensor, first: int, stride: int) -> tuple[Tensor, Sizes]:
        """Some sequences, all their first steps before all their second ones, and how many run at each."""
        if self.sizes is None:
            chosen = (data.transpose(0, 1) if self.batch_first else data)[:, first::stride]
            return chosen.flatten(0, 1), [chosen.shape[1]] * chosen.shape[0]
        parts = [part[first::stride] for part in data.split(list(self.sizes))]
        return torch.cat(parts), [len(part) for part in parts if len(part)]

    def _named(self, layer: str, found: Sequence[Tensor]) -> Iterator[Gate]:
        for (name, function), z in zip(GATES[self.kind].items(), found, strict=True):
            yield Gate(layer + name, function, z)


class Walk:
    """The way through packed sequences, from their beginning or from their end."""

    def __init__(self, sizes: Sizes, *, reverse: bool) -> None:
        self._sizes = sizes
        self._places = list(range(len(sizes)))[:: -1 if reverse else 1]

    def before(self, after: Tensor, start: Tensor) -> Tensor:
        """The state that each position began with, ``after`` being the one it ended with."""
        parts: list[Tensor] = [start[:0]] * len(self._sizes)
        ended = after.split(list(self._sizes))
        held = start
        for place in self._places:
            parts[place] = running(held, start, self._sizes[place])
            held = ended[place]
        return torch.cat(parts)

    def cell_states(self, found: Sequence[Tensor], start: Tensor) -> Tensor:
        """The cell state of an LSTM after each position, from the pre-activations of its gates."""
        gain, keep = found[0].sigmoid() * found[2].tanh(), found[1].sigmoid()
        states, held = torch.empty_like(gain), start
        sizes = list(self._sizes)
        gains, keeps, ends = gain.split(sizes), keep.split(sizes), states.split(sizes)
        for place in self._places:
            before = running(held, start, sizes[place])
            held = torch.addcmul(gains[place], keeps[place], before, out=ends[place])
        return states

    def run(self, kind: str, cell: Cell, x: Tensor, start: Sequence[Tensor]) -> Tensor:
        """The hidden state after each position, one step after the other."""
        held = start
        ended: list[Tensor] = [x[:0]] * len(self._sizes)
        given = x.split(list(self._sizes))
        for place in self._places:
            before = [running(one, first, self._sizes[place]) for one, first in zip(held, start, strict=True)]
            held = advanced(kind, cell, sums(kind, cell, given[place], before[0]), before)
            ended[place] = held[0]
        return torch.cat(ended)


def running(held: Tensor, start: Tensor, size: int) -> Tensor:
    """The states of the sequences that run at a step: those of the step before, less or more of them."""
    if size <= len(held):
        return held if size == len(held) else held[:size]
    return torch.cat([held, start[len(held) : size]])


def is_recurrent(function: object) -> bool:
    """Whether a function of torch's is a recurrent layer or one step of a cell."""
    return function in _RECURRENT


def recurrent_call(function: Any, arguments: Sequence[Any]) -> RecurrentCall:
    """What a call of such a function computes; arguments by position, as torch's modules give them."""
    if function in _CELLS:
        data, state, *weights = arguments
        hidden = tuple(state) if isinstance(state, list | tuple) else (state,)
        return RecurrentCall(
            _CELLS[function], data, None, hidden, (Cell(*weights),),
            single=True, dropped=False, bidirectional=False, batch_first=False,
        )  # fmt: skip
    packed = isinstance(arguments[3], list | tuple)
    data, state, weights = arguments[0], arguments[1 + packed], arguments[2 + packed]
    biased, layers, dropout, training, bidirectional = arguments[3 + packed : 8 + packed]
    hidden = tuple(state) if isinstance(state, list | tuple) else (state,)
    each = len(weights) // (layers * (2 if bidirectional else 1))
    cells = [weights[place : place + each] for place in range(0, len(weights), each)]
    return RecurrentCall(
        _LAYERS[function],
        data,
        arguments[1].tolist() if packed else None,
        hidden,
        tuple(Cell(*cell) if biased else Cell(cell[0], cell[1], None, None, *cell[2:]) for cell in cells),
        single=False,
        dropped=layers > 1 and dropout > 0 and training,
        bidirectional=bidirectional,
        batch_first=not packed and arguments[8],
    )


def widened(cell: Cell, dtype: torch.dtype) -> Cell:
    """The same weights in another precision."""
    return Cell._make(None if weight is None else weight.detach().to(dtype) for weight in cell)


def sums(kind: str, cell: Cell, x: Tensor, before: Tensor) -> list[Tensor]:
    """``[samples, hidden]`` each, the pre-activations of the gates that have weights."""
    inner = product(x, cell.w_ih, cell.b_ih)
    outer = product(before, cell.w_hh, cell.b_hh)
    gates = {"lstm": 4, "gru": 3}.get(kind, 1)
    if kind != "gru":
        return list(inner.add_(outer).chunk(gates, dim=1))
    (reset, update, new), (own_reset, own_update, own_new) = inner.chunk(gates, dim=1), outer.chunk(gates, dim=1)
    reset, update = reset + own_reset, update + own_update
    return [reset, update, torch.addcmul(new, reset.sigmoid(), own_new)]


def advanced(kind: str, cell: Cell, found: Sequence[Tensor], states: Sequence[Tensor]) -> list[Tensor]:
    """The states one step later: the hidden one, and the cell state of an LSTM."""
    if kind == "lstm":
        state = found[1].sigmoid() * states[1] + found[0].sigmoid() * found[2].tanh()
        hidden = found[3].sigmoid() * state.tanh()
        return [hidden if cell.w_hr is None else hidden @ cell.w_hr.T, state]
    if kind == "gru":
        return [torch.lerp(found[2].tanh(), states[0], found[1].sigmoid())]
    return [found[0].tanh() if kind == "rnn_tanh" else found[0].relu()]


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``x`` times a weight as torch's layers hold it, and a bias where there is one."""
    return x @ weight.T if bias is None else torch.addmm(bias, x, weight.T)
