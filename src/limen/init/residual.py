"""Residual additions of a tape, and the last weights of their branches."""

from __future__ import annotations

from dataclasses import dataclass

from limen.anatomy.tape import LinearMap, Operation, Tape, Value, linear_map_of
from limen.init.operations import ADDS, NORMALISES, is_before, moves, scales

__all__ = ["Branch", "branches"]


@dataclass(frozen=True, eq=False)
class Branch:
    """What a residual connection goes around.

    Attributes:
        skip: the value that goes around.
        last: the last weights of the branch; None where none are found at its end.
        scale: a parameter that the end of the branch is multiplied by, as in SkipInit, ReZero and LayerScale.
        normalised: whether there is a normalisation inside, which keeps the branch at its scale.
        depth: number of residual additions in the model.
    """

    skip: Value
    last: LinearMap | None
    scale: Value | None
    normalised: bool
    depth: int


def branches(tape: Tape) -> tuple[Branch, ...]:
    """Every residual addition: one addend is made of the other, by weights."""
    found: list[tuple[Value, Value]] = []
    for operation in tape.operations:
        pair = [given for given in operation.inputs if given.source in ("operation", "input")]
        if operation.name in ADDS and len(pair) == 2 and pair[0].shape == pair[1].shape:
            found += [(skip, end) for skip, end in (pair, pair[::-1]) if skip is not end and is_before(skip, end)]
    described = [(skip, *read(skip, end)) for skip, end in found]
    real = [one for one in described if one[1] is not None]
    return tuple(Branch(*one, depth=len(real)) for one in real)


def read(skip: Value, end: Value) -> tuple[LinearMap | None, Value | None, bool]:
    """The last weights of a branch, the parameter that scales it, and whether it is normalised."""
    inside = operations_between(skip, end)
    normalised = any(one.name in NORMALISES or one.name == "rsqrt" for one in inside)
    scale, last, value = None, None, end
    while last is None and value is not skip and (maker := value.maker) is not None:
        last = linear_map_of(maker)
        factors = [given for given in maker.inputs if given.source == "parameter"]
        passes = moves(maker) or scales(maker) or maker.activation is not None or maker.name in NORMALISES
        if maker.name == "mul" and len(factors) == 1:
            scale, passes = factors[0], True
        if maker.name in ("add", "sub"):  # an added bias
            passes = len([given for given in maker.inputs if given.source != "parameter"]) == 1
        rest = [given for given in maker.inputs if given.source != "parameter"]
        if last is None and (not passes or not rest):
            break
        value = rest[0] if rest else value
    return last, scale, normalised


def operations_between(skip: Value, end: Value) -> list[Operation]:
    first = skip.maker.order if skip.maker is not None else -1
    found: dict[int, Operation] = {}
    waiting = [end]
    while waiting:
        value = waiting.pop()
        maker = value.maker
        if value is not skip and maker is not None and maker.order > first and maker.order not in found:
            found[maker.order] = maker
            waiting += maker.inputs
    return list(found.values())
