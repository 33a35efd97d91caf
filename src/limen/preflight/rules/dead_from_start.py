"""Units that the sample, or any input like it, leaves silent."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from limen.anatomy.tape import LinearMap, Operation, Value
from limen.findings import Finding
from limen.preflight.bounds import bounds_in
from limen.preflight.chains import DROPOUT, NORMS, VIEWS, before, unit_axis
from limen.preflight.flight import Activity, Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check
from limen.preflight.rules.symmetry import are_alike
from limen.theory import Box, certainly_dead


@check("dead-from-start")
def dead_from_start(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Units that are silent before the first step, on the sample or on every possible input.

    Why it matters: a unit on the flat side of its function gets no gradient. If no input lifts it, it never learns.

    How it is measured: on the sample, the share of a layer's units that are flat at every position, from 30 positions
    and 8 units on; with n positions and none active, a unit is active on less than 3/n of them (95 % confidence). Also
    for certain: with every input between the sample's smallest and largest number, a unit's pre-activation cannot pass
    ``b + sum(max(w * low, w * high))``, and so on through layers, activations, poolings and sums; where that is not
    above zero, no such input moves it. Beyond a normalisation nothing is certain, and the more layers, the less. A few
    units that are dead for certain are a remark; layers with few inputs of one sign have them by chance.

    Known to misfire: a sample that is not like the training data.

    Answered by: reinitialise, scale-inputs.

    Source: Lu et al. 2020, "Dying ReLU and Initialization", arXiv:1903.06733; the bound is interval arithmetic.
    """
    bounds = bounds_in(flight)
    shadow: set[int] = set()  # values that follow from a layer that is silent altogether
    for operation in flight.activations:
        if id(operation.inputs[0]) in shadow:
            continue
        seen = flight.activity.get(id(operation))
        one = layer_of(flight, operation)
        if seen is None or one is None or seen.units < limits.few_units or is_blank(one):
            continue
        sure = certain(bounds.get(id(operation.inputs[0])), operation, seen.units)
        share = len(seen.silent) / seen.units
        known = seen.positions >= limits.few_positions and share >= limits.silent
        if known or len(sure) >= limits.silent * seen.units:
            yield from silent(flight, operation, one, seen, sure, limits)
            shadow |= descendants(flight, operation) if share > 0.9 else set()
        elif sure:
            where = flight.place(operation)
            yield found(
                "dead-from-start",
                "info",
                where,
                f"{len(sure)} of {seen.units} units of {titled(where)} are silent for any input of its range.",
                why="Their weights and bias keep the pre-activation below zero wherever the input lies in that range.",
                remedies=("reinitialise",),
                layer=flight.layer(one),
                units=sure,
                measured=len(sure) / seen.units,
                limit=0.0,
                unit="share of units",
                confidence=1.0,
            )


def silent(
    flight: Flight, operation: Operation, one: LinearMap, seen: Activity, sure: tuple[int, ...], limits: Limits
) -> Iterator[Finding]:
    """The finding of a layer that is silent, and the bias where it is to blame."""
    where, layer = flight.place(operation), flight.layer(one)
    units = seen.silent or sure
    share = len(units) / seen.units
    bound = (
        f"each is active on less than {300 / max(seen.positions, 1):.2g} % (95 % confidence: 3 / {seen.positions:,})"
    )
    certainty = f"; for {len(sure)} of them no input within the sample's range changes that" if sure else ""
    level, shift = pushed_down(operation, one, seen, units)
    blamed = 0.0 < shift >= limits.held_down * level
    yield found(
        "bad-bias" if blamed else "dead-from-start",
        "error" if share > 0.9 else "warning",
        where,
        f"{len(units)} of {seen.units} units of {titled(where)} are silent at all {seen.positions:,} positions of the "
        f"sample: {bound}{certainty}.",
        why=f"The bias of {titled(layer)} holds them {shift:.3g} below zero, and the inputs move them by {level:.3g}."
        if blamed
        else "No gradient passes through them: what would lift them does not learn.",
        remedies=("reinitialise",) if blamed else ("reinitialise", "scale-inputs"),
        layer=layer,
        units=units,
        measured=share,
        limit=limits.silent,
        unit="share of units",
    )


def is_blank(one: LinearMap) -> bool:
    """Whether the weights are all the same, which is another finding."""
    return one.weight.leaf is not None and not one.weight.leaf.is_meta and are_alike(one.weight.leaf, one.unit_axis)


def descendants(flight: Flight, operation: Operation) -> set[int]:
    """Ids of the values that follow from the result of an operation."""
    stack, seen = list(operation.outputs), set[int]()
    while stack:
        value = stack.pop()
        if id(value) not in seen:
            seen.add(id(value))
            stack += [made for reader in flight.tape.readers(value) for made in reader.outputs]
    return seen


def layer_of(flight: Flight, operation: Operation) -> LinearMap | None:
    """The layer that makes a pre-activation, through normalisations and dropout; None where there is none."""
    start = before(operation.inputs[0], VIEWS | DROPOUT | NORMS, shifts=True)
    return flight.map_at.get(id(start.maker))


def pushed_down(operation: Operation, one: LinearMap, seen: Activity, units: tuple[int, ...]) -> tuple[float, float]:
    """By how much the sample moves the silent units, and by how much their bias pushes them below zero."""
    chosen = list(units)
    spread = float(seen.std[chosen].median())
    bias = bias_before(operation, one)
    if bias is None or bias.numel() != seen.units:
        return spread, 0.0
    rest = (seen.mean - bias)[chosen].abs().median()
    return max(spread, float(rest)), float((-bias[chosen]).median())


def bias_before(operation: Operation, one: LinearMap) -> Tensor | None:
    """``[units]``, float64, what is added last before an activation: the shift of a normalisation, or a bias."""
    maker = operation.inputs[0].maker
    shift = maker.argument("bias") if maker is not None and maker.name in NORMS else one.bias
    leaf = shift.leaf if isinstance(shift, Value) else None
    return None if leaf is None or leaf.is_meta else leaf.detach().double().flatten().cpu()


def certain(box: Box | None, operation: Operation, units: int) -> tuple[int, ...]:
    """Units that no input between the sample's extremes lifts off the flat side."""
    assert operation.activation is not None
    axis = unit_axis(operation.inputs[0])
    if box is None or axis is None or box.low.shape[axis] != units:
        return ()
    dead = certainly_dead(box, operation.activation, unit_axis=axis)
    return tuple(int(unit) for unit in dead.nonzero().flatten())
