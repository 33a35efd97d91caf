"""Following a value through the operations of a tape that change nothing that matters."""

from __future__ import annotations

from collections.abc import Iterator

from limen.anatomy.tape import Operation, Tape, Value

__all__ = ["AFFINE", "DROPOUT", "NORMS", "VIEWS", "after", "before", "dependent", "exclusive", "is_shift", "unit_axis"]

VIEWS = frozenset(
    {"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "permute", "transpose", "t", "T",
     "mT", "movedim", "swapaxes", "contiguous", "clone", "to", "float", "half", "bfloat16", "double", "type_as",
     "alias", "view_as", "reshape_as", "identity"}
)  # fmt: skip
"""Operations that hand every number on, at another place or in another precision."""

DROPOUT = frozenset(
    {"dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"}
)
NORMS = frozenset({"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "local_response_norm"})
AFFINE = frozenset({"batch_norm"})
"""Normalisations that are affine maps once the statistics are fixed."""

PRODUCTS = frozenset({"linear", "addmm", "matmul", "mm", "bilinear"})
"""Operations whose units lie along the last axis."""

FARTHEST = 64  # operations followed


def before(value: Value, through: frozenset[str], *, shifts: bool = False) -> Value:
    """The value behind ``value``, through operations of these names; with ``shifts`` also added or scaled constants."""
    for _ in range(FARTHEST):
        maker = value.maker
        if maker is None or not maker.inputs or not (maker.name in through or (shifts and is_shift(maker))):
            return value
        value = carried(maker)
    return value


def after(tape: Tape, value: Value, through: frozenset[str], *, shifts: bool = True) -> Iterator[Operation]:
    """The first operations that read a value, through operations of these names, and added or scaled constants."""
    stack, seen = [value], set[int]()
    while stack:
        for reader in tape.readers(stack.pop()):
            if id(reader) in seen:
                continue
            seen.add(id(reader))
            if reader.name in through or (shifts and is_shift(reader)):
                stack += reader.outputs
            else:
                yield reader


def exclusive(tape: Tape, start: Value, end: Value, reader: Operation) -> bool:
    """Whether nothing but the chain from ``start`` to ``end``, and there ``reader``, reads what passes along it."""
    value, expected = end, reader
    for _ in range(FARTHEST):
        if tape.readers(value) != (expected,) or tape.is_output(value):
            return False
        if value is start:
            return True
        if value.maker is None:
            return False
        expected, value = value.maker, carried(value.maker)
    return False


def is_shift(operation: Operation) -> bool:
    """Whether one value passes with a parameter or a number added, or a number multiplied."""
    if operation.name in ("add", "sub"):
        return sum(given.source in ("operation", "input") for given in operation.inputs) == 1
    return operation.name in ("mul", "div", "true_divide") and len(operation.inputs) == 1


def carried(operation: Operation) -> Value:
    """The input of an operation with one input that matters."""
    return next((given for given in operation.inputs if given.source in ("operation", "input")), operation.inputs[0])


def dependent(tape: Tape) -> frozenset[int]:
    """Ids of the values that follow from the sample."""
    known = {id(value) for value in tape.inputs}
    for operation in tape.operations:
        if any(id(given) in known for given in operation.inputs):
            known |= {id(made) for made in operation.outputs}
    return frozenset(known)


def unit_axis(value: Value) -> int | None:
    """The axis along which the units of a value lie, from the layer that made it; None where that is not known."""
    for _ in range(FARTHEST):
        maker = value.maker
        if maker is None:
            return None
        if maker.name in PRODUCTS:
            return -1
        if maker.name.startswith("conv"):
            return 1
        same = (
            maker.activation is not None or maker.name in NORMS | DROPOUT | {"contiguous", "clone"} or is_shift(maker)
        )
        if not same or not maker.inputs:
            return None
        value = carried(maker)
    return None
