"""Recurrent layers: LSTM, GRU and RNN, as layers and as cells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from limen.anatomy.tape import Operation, Value, values_in
from limen.init.choices import Choices
from limen.init.settings import Setting
from limen.init.states import State

__all__ = ["recurrent_settings"]

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
FUNCTIONS = {"lstm": "sigmoid, tanh gates", "gru": "sigmoid, tanh gates", "rnn_tanh": "tanh", "rnn_relu": "relu"}


def recurrent_settings(operation: Operation, x: State, choices: Choices) -> Iterator[Setting]:
    """Input weights that give each gate variance 1, orthogonal recurrent ones, biases 0, the forget gate's 1.

    Source: Saxe et al. 2014, arXiv:1312.6120 (orthogonal recurrence); Jozefowicz et al. 2015, ICML (forget gate);
    Le et al. 2015, arXiv:1504.00941 (identity recurrence for ReLU).
    """
    kind = operation.name.removesuffix("_cell")
    gates = GATES[kind]
    held = list(values_in([operation.argument(name) for name in ("params", "w_ih", "w_hh", "b_ih", "b_hh")]))
    units, matrices = 0, 0
    for value in held:
        if value.source != "parameter":
            continue
        if len(value.shape) == 1:
            yield bias(value, kind, units, first="_ih" in value.name.rpartition(".")[2])
            continue
        recurs = is_recurrent(value)
        units = value.shape[0] // gates if not is_projection(value) else units
        yield matrix(value, kind, gates, recurs=recurs, square=x.seen if matrices == 0 else None, choices=choices)
        matrices += not recurs


def is_recurrent(value: Value) -> bool:
    return "_hh" in value.name.rpartition(".")[2]


def is_projection(value: Value) -> bool:
    return "_hr" in value.name.rpartition(".")[2]


def matrix(value: Value, kind: str, gates: int, *, recurs: bool, square: float | None, choices: Choices) -> Setting:
    """The weights of one layer and direction; those that read the data take its second moment into account."""
    fan = value.shape[1]
    common: dict[str, Any] = {"fan": fan, "function": FUNCTIONS[kind]}
    if is_projection(value):
        return Setting(value, "orthogonal", 1 / math.sqrt(max(value.shape)), rule="projection", **common)
    common["blocks"] = gates
    if recurs and kind == "rnn_relu":
        return Setting(value, "identity", 1 / math.sqrt(fan), rule="recurrent, identity", **common)
    if recurs:
        return Setting(value, "orthogonal", 1 / math.sqrt(fan), rule="recurrent, orthogonal", **common)
    seen = square if square is not None and square > 0 else 1.0
    remark = "" if square is not None else "input of variance 1 assumed"
    return Setting(value, choices.drawn, 1 / math.sqrt(fan * seen), rule="gates", variance=1.0, remark=remark, **common)


def bias(value: Value, kind: str, units: int, *, first: bool) -> Setting:
    """Zero, but 1 for the forget gate of an LSTM, once: the second bias is added to the first."""
    opens = kind == "lstm" and first
    return Setting(
        value,
        "constant",
        special=(units, 2 * units, 1.0) if opens else None,
        weights=False,
        remark="forget gate 1" if opens else "",
    )
