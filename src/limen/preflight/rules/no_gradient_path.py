"""Parameters that the training cannot reach."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import Tensor, nn

from limen.anatomy.tape import Operation, Value
from limen.findings import Finding
from limen.findings.finding import Severity
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

KEEPS_OUTPUT = frozenset({"relu", "sigmoid", "tanh", "softmax", "log_softmax", "exp", "sqrt", "rsqrt", "leaky_relu",
                          "elu", "selu", "celu", "hardtanh", "reciprocal"})  # fmt: skip
"""Operations whose backward pass needs what they returned."""

STEPS = frozenset({"round", "floor", "ceil", "trunc", "sign", "sgn", "heaviside"})
"""Operations with a backward pass that lets nothing through."""


@check("no-gradient-path")
def no_gradient_path(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Parameters that no gradient reaches, or that the optimiser does not hold.

    Why it matters: they stay what they were. A detach, an argmax, a number taken out with item(), a layer in a plain
    list, an optimiser made before the head was replaced: nothing raises, and a part of the net is noise for ever. An
    operation in place that overwrites what the backward pass needs raises at the first step.

    How it is measured: the graph that torch records is followed from the loss, or from the outputs where no loss is
    given, to the parameters; rounding and signs end a way. A backward pass is tried. Layers that run under no_grad as a
    whole are a remark: a teacher does. Parameters are compared with
    those in the optimiser. Frozen parameters are nobody's fault; those of modules that were not called are a remark.

    Known to misfire: parameters that only some inputs use; those that another optimiser trains, which was not given.

    Answered by: fix-training-loop, avoid-in-place.

    Source: the documentation of torch.autograd and torch.optim.
    """
    if "backward pass raised" in flight.trouble:
        yield raised(flight)
    yield from unreached(flight)
    yield from unseen(flight)
    yield from unheld(flight)


def finding(
    severity: Severity,
    where: str,
    message: str,
    why: str,
    *,
    remedies: tuple[str, ...] = ("fix-training-loop",),
    layer: str | None = None,
) -> Finding:
    """A finding of this cause."""
    return found(
        "no-gradient-path", severity, where, message, why=why, remedies=remedies, layer=layer, unit="parameters"
    )


def raised(flight: Flight) -> Finding:
    """A backward pass that raises."""
    culprit = overwriting(flight)
    where = flight.place(culprit) if culprit is not None else "model"
    told = flight.trouble.removeprefix("the backward pass raised ")
    if "inplace" not in told or culprit is None:
        return finding("error", where, f"The backward pass raises: {told}.", "The first training step ends there.")
    maker = culprit.inputs[0].maker
    of = f"the output of {flight.call(maker)}" if maker is not None else "its input"
    return finding(
        "error",
        where,
        f"{flight.call(culprit)} overwrites {of} in place, which the backward pass needs: {told[:160]}.",
        "The first training step ends there.",
        remedies=("avoid-in-place",),
        layer=where,
    )


def overwriting(flight: Flight) -> Operation | None:
    """The operation in place that most likely overwrote what is needed: by its shape and what made its input."""
    named = re.search(r"\[([\d, ]*)\]", flight.trouble)
    shape = tuple(int(size) for size in named[1].split(",") if size.strip()) if named else None

    def suspicion(operation: Operation) -> tuple[bool, bool]:
        given = operation.inputs[0]
        kept = given.maker is not None and given.maker.name in KEEPS_OUTPUT
        return given.shape == shape, kept or len(flight.tape.readers(given)) > 1

    own = [one for one in flight.in_place if one.name != "setitem" or len(flight.in_place) == 1] or flight.in_place
    return max(own, key=suspicion, default=None)


def unreached(flight: Flight) -> Iterator[Finding]:
    """Parameters without a gradient."""
    if flight.reached is None:
        return
    trained = {name: one for name, one in names_of(flight).items() if one.requires_grad}
    lost = [name for name in trained if name not in flight.reached]
    if trained and len(lost) == len(trained):
        by = ending(flight, None)
        how = f": it ends at {flight.call(by)}" if by is not None else ""
        yield finding(
            "error",
            "model",
            f"No gradient reaches any of the {len(trained)} trained parameters{how}.",
            "Nothing learns.",
        )
        return
    used = {value.name: operation for operation in reversed(flight.tape.operations) for value in leaves(operation)}
    cut_off: dict[int, tuple[Operation, Severity, list[str], int]] = {}
    for layer, names in by_layer(lost).items():
        operation = next((used[name] for name in names if name in used), None)
        count = f"{len(names)} parameter{'s' if len(names) > 1 else ''}"
        by = ending(flight, operation) if operation is not None else None
        if operation is None:
            message = f"{titled(layer)} ({count}) is not used in the forward pass, and no gradient reaches it."
            yield finding("info", layer, message, "It stays what it is.", layer=layer)
        elif by is None:
            message = f"What {titled(layer)} ({count}) computes does not enter the loss."
            yield finding("info", layer, message, "It gets no gradient from this loss.", layer=layer)
        else:
            severity: Severity = "info" if by is operation else "warning"  # without gradients altogether: a teacher
            _, _, layers, many = cut_off.get(id(by), (by, severity, [], 0))
            cut_off[id(by)] = (by, severity, [*layers, layer], many + len(names))
    for by, severity, layers, many in cut_off.values():
        count = f"{many} parameter{'s' if many > 1 else ''}"
        further = len(layers) - 1
        before = f" and {further} layer{'s' * (further > 1)} before it" if further else ""
        message = f"No gradient reaches {titled(layers[-1])}{before} ({count}): it ends at {flight.call(by)}."
        why = "They stay what they are, while all else is trained on their noise."
        yield finding(severity, layers[-1], message, why, layer=layers[-1])


def ending(flight: Flight, start: Operation | None) -> Operation | None:
    """The first operation behind ``start`` that lets no gradient through; of the whole pass without one."""
    cut = {id(one) for one in flight.cut}
    if start is None:
        ends = [one for one in flight.tape.operations if id(one) in cut or one.name in STEPS]
        return ends[-1] if ends else None
    stack, seen = [start], set[int]()
    while stack:
        operation = stack.pop(0)
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        if id(operation) in cut or operation.name in STEPS:
            return operation
        stack += [reader for made in operation.outputs for reader in flight.tape.readers(made)]
    return None


def unseen(flight: Flight) -> Iterator[Finding]:
    """Parameters that the model uses and does not tell of."""
    held = set[int]().union(*(one.held for one in flight.optimisers or ()))
    stray = [(operation, one) for operation, one in flight.hidden if id(one) not in held]
    if not stray:
        return
    where = flight.place(stray[0][0])
    shapes = ", ".join(str(list(one.shape)) for _, one in stray[:3]) + (" and more" if len(stray) > 3 else "")
    many = f"{len(stray)} parameters that the forward pass uses are" if len(stray) > 1 else "A parameter in use is"
    message = f"{many} not among model.parameters() ({shapes}); the first in {flight.call(stray[0][0])}."
    why = "Layers in a plain list or dict are not seen by torch, and so not by an optimiser: use nn.ModuleList."
    yield finding("warning", where, message, why)


def unheld(flight: Flight) -> Iterator[Finding]:
    """Parameters that no optimiser holds, and optimisers that hold those of another model."""
    if flight.optimisers is None:
        return
    held = set[int]().union(*(one.held for one in flight.optimisers))
    trained = {name: one for name, one in names_of(flight).items() if one.requires_grad}
    left = [name for name, one in trained.items() if id(one) not in held]
    if flight.reached is not None:
        left = [name for name in left if name in flight.reached]
    if not left:
        return
    foreign = sum(len(one.foreign) for one in flight.optimisers)
    nothing = len(left) == len(trained)
    layers = list(by_layer(left))
    where = "model" if nothing else layers[0]
    kinds = " and ".join(one.kind for one in flight.optimisers) or "no optimiser"
    more = f" ({', '.join(layers[:4])}{' and more' if len(layers) > 4 else ''})" if not nothing else ""
    why = (
        f"{kinds} updates {foreign} tensors that are no part of the model: it was made before they were replaced."
        if foreign
        else "They get gradients and are never updated; what is meant to stay should have requires_grad = False."
    )
    message = f"{len(left)} of {len(trained)} trained parameters are not in the optimiser{more}."
    yield finding("error" if nothing or foreign else "warning", where, message, why, layer=None if nothing else where)


def leaves(operation: Operation) -> Iterator[Value]:
    """The parameters that an operation is given."""
    return (value for value in operation.inputs if value.source == "parameter")


def by_layer(names: list[str]) -> dict[str, list[str]]:
    """Names of parameters by the module that holds them."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(name.rpartition(".")[0] or name, []).append(name)
    return layers


def names_of(flight: Flight) -> dict[str, Tensor]:
    """The model's parameters by name."""
    model: nn.Module = flight.model
    return dict(model.named_parameters())
