"""Which torch calls only move numbers, which normalise, which add."""

from __future__ import annotations

from collections.abc import Iterator

from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of

__all__ = [
    "ADDS",
    "DROPS",
    "MOVES",
    "NORMALISES",
    "RECURRENT",
    "above",
    "adds_bias",
    "function_after",
    "is_before",
    "map_behind",
    "moves",
    "reaches_weights",
    "scales",
]

MOVES = frozenset({
    "T", "mT", "t", "transpose", "permute", "view", "reshape", "to", "float", "half", "bfloat16", "double", "type_as",
    "contiguous", "clone", "detach", "alias", "data", "flatten", "unflatten", "squeeze", "unsqueeze", "getitem",
    "chunk", "split", "unbind", "expand", "expand_as", "repeat", "repeat_interleave", "movedim", "moveaxis", "swapaxes",
    "swapdims", "roll", "flip", "narrow", "select", "index_select", "gather", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "tensor_split", "view_as", "reshape_as", "identity", "cpu", "cuda", "requires_grad", "rearrange",
})  # fmt: skip
DROPS = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout"})
NORMALISES = frozenset({"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "native_layer_norm"})
ADDS = frozenset({"add", "sub", "rsub", "iadd", "isub"})
RECURRENT = frozenset({f"{kind}{cell}" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu") for cell in ("", "_cell")})


def moves(operation: Operation) -> bool:
    """Whether a call leaves the numbers as they are, but for dropout."""
    return operation.name in MOVES or operation.name in DROPS


def above(value: Value) -> Iterator[Operation]:
    """The operations that made a value, up to the first that is not a mere move, and that one last."""
    maker = value.maker
    while maker is not None:
        yield maker
        if not moves(maker) or not maker.inputs:
            return
        maker = maker.inputs[0].maker


def map_behind(value: Value) -> LinearMap | None:
    """The weights that made a value, if nothing but moves and added biases lies between."""
    last: Operation | None = None
    for last in above(value):  # noqa: B007
        pass
    if last is None:
        return None
    if adds_bias(last):
        return map_behind(next(given for given in last.inputs if given.source == "operation"))
    return linear_map_of(last)


def adds_bias(operation: Operation) -> bool:
    """Whether a call adds a parameter of one axis to what weights made: ``x @ weight + bias``."""
    if operation.name not in ("add", "iadd") or len(operation.inputs) != 2:
        return False
    made = [given for given in operation.inputs if given.source == "operation"]
    held = [given for given in operation.inputs if given.source == "parameter" and len(given.shape) == 1]
    return len(made) == len(held) == 1 and map_behind(made[0]) is not None


def function_after(tape: Tape, value: Value) -> Operation | None:
    """What first does more than move, scale or add to a value: an activation before all others that are as near."""
    seen: set[int] = set()
    level = [value]
    while level:
        readers = [reader for each in level for reader in tape.readers(each) if reader.order not in seen]
        seen |= {reader.order for reader in readers}
        found = [reader for reader in readers if reader.activation is not None]
        found += [reader for reader in readers if not (moves(reader) or scales(reader) or reader.name in ADDS)]
        if found:
            return found[0]
        level = [made for reader in readers for made in reader.outputs]
    return None


def scales(operation: Operation) -> bool:
    """Whether a call multiplies by a plain number."""
    return operation.name in ("mul", "div", "true_divide", "neg") and len(operation.inputs) == 1


def reaches_weights(tape: Tape, value: Value) -> bool:
    """Whether anything that is made of a value is given to weights again; otherwise it is for the output."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        for reader in tape.readers(waiting.pop()):
            if reader.order in seen:
                continue
            seen.add(reader.order)
            if reader.name in RECURRENT or linear_map_of(reader) is not None:
                return True
            waiting += reader.outputs
    return False


def is_before(early: Value, late: Value) -> bool:
    """Whether one value went into another."""
    first = early.maker.order if early.maker is not None else -1
    seen: set[int] = set()
    waiting = [late]
    while waiting:
        value = waiting.pop()
        if value is early:
            return True
        maker = value.maker
        if maker is not None and maker.order > first and maker.order not in seen:
            seen.add(maker.order)
            waiting += maker.inputs
    return False
