"""Weights that are all the same."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from limen.activations import Activation
from limen.anatomy.tape import LinearMap
from limen.findings import Finding
from limen.preflight.chains import DROPOUT, NORMS, VIEWS, after
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.numbers import size_of
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

BETWEEN = VIEWS | DROPOUT | NORMS | frozenset({"max_pool1d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mean"})
STUCK_AT_ZERO = frozenset({"relu", "relu6", "squared_relu"})


@check("bad-initialisation")
def equal_weights(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """A hidden layer whose units all begin with the same weights, or with none; weights that are no numbers.

    Why it matters: units that begin alike compute the same and get the same gradient; they stay one unit. Where the
    weights are zero, a ReLU has slope zero as well, and nothing before it learns.

    How it is measured: every unit's weights and biases are compared with the first one's, entry by entry, in layers
    between which and the next layer an activation stands. Zeros are meant, and not reported, in a last layer, at the
    end of a residual branch, in the scale of a normalisation, and in the second factor of LoRA.

    Known to misfire: a layer whose units are told apart by what the next layer makes of them; then a warning, not an
    error.

    Answered by: reinitialise.

    Source: Goodfellow, Bengio & Courville 2016, "Deep Learning", section 8.4.
    """
    for one in flight.maps:
        weight = one.weight.leaf
        if one.data is None or weight is None or weight.is_meta or not weight.requires_grad or not one.exact:
            continue
        if not math.isfinite(size_of(weight)):
            yield not_finite(flight.layer(one))
            continue
        if one.units < 2 or one.groups > 1 or one.transposed or not are_alike(weight, one.unit_axis):
            continue
        followers = next_maps(flight, one)
        if followers is None:
            continue
        act, behind = followers
        function = act.name
        zero = float(weight.detach().abs().max()) == 0.0
        bias = one.bias.leaf if one.bias is not None else None
        apart = bias is not None and not are_alike(bias, 0)
        stuck = zero and function in STUCK_AT_ZERO and not apart
        lost = stuck or (not apart and all(m.weight.leaf is not None and reads_alike(m) for m in behind))
        layer = flight.layer(one)
        what = "zero" if zero else "the same for each unit"
        yield found(
            "bad-initialisation",
            "error" if lost else "warning",
            layer,
            f"The weights of {titled(layer)} are {what} ({one.units} units before {function}).",
            why=f"{function} has slope zero at zero: no gradient reaches this layer or any before it."
            if stuck
            else "The layer hands nothing of its input on, and no gradient to what is before it."
            if zero
            else "The units begin as one unit, and only chance elsewhere can tell them apart.",
            remedies=("reinitialise",),
            layer=layer,
            units=tuple(range(one.units)),
            measured=0.0,
            limit=0.0,
            unit="largest difference between units",
            confidence=1.0,
        )


def not_finite(layer: str) -> Finding:
    """The finding of weights that are no numbers."""
    return found(
        "bad-initialisation",
        "error",
        layer,
        f"The weights of {titled(layer)} are not all finite.",
        why="What they make is not finite, nor is the loss; torch.empty, for one, leaves what lay in memory.",
        remedies=("reinitialise",),
        layer=layer,
        unit="layers",
    )


def are_alike(tensor: Tensor, axis: int) -> bool:
    """Whether all slices along an axis hold the same numbers."""
    known = tensor.detach()
    few = known.narrow(axis, 0, min(2, known.shape[axis]))
    if not bool((few == few.narrow(axis, 0, 1)).all()):  # nearly always: the whole is not read then
        return False
    return bool((known == known.narrow(axis, 0, 1)).all())


def reads_alike(reader: LinearMap) -> bool:
    """Whether a layer makes the same of each of the units that it reads."""
    assert reader.weight.leaf is not None
    return are_alike(reader.weight.leaf, reader.input_axis)


def next_maps(flight: Flight, one: LinearMap) -> tuple[Activation, tuple[LinearMap, ...]] | None:
    """The activation behind a hidden layer and the layers that read it; None for a layer that is not hidden."""
    readers = tuple(after(flight.tape, one.operation.output, BETWEEN))
    if len(readers) != 1 or readers[0].activation is None or flight.tape.is_output(one.operation.output):
        return None
    found_maps = tuple(
        flight.map_at[id(reader)]
        for reader in after(flight.tape, readers[0].output, BETWEEN)
        if id(reader) in flight.map_at
    )
    return (readers[0].activation, found_maps) if found_maps else None
