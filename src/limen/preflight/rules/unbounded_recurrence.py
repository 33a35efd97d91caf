"""An unbounded activation in a loop over time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from limen.activations import Activation
from limen.anatomy.tape import LinearMap, Operation, Value, values_in
from limen.findings import Finding
from limen.preflight.chains import DROPOUT, VIEWS, is_shift
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

UNBOUNDED = frozenset({"relu", "leaky_relu", "prelu", "elu", "celu", "selu", "gelu", "gelu_tanh", "silu", "mish",
                       "softplus", "hardswish", "squared_relu"})  # fmt: skip
TURNS = 3  # applications of the same weights to their own result
FARTHEST = 200  # operations looked at between two of them


@check("unbounded-recurrence")
def unbounded_recurrence(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """An activation without an upper bound in a loop that feeds its result back through the same weights.

    Why it matters: with a factor above one for each step the state grows without end over a long sequence, and the
    gradient with it; below one it is forgotten. A bounded function, or a gate, holds the state.

    How it is measured: a recurrent layer of ReLU, or weights that are applied three times or more to what they made
    themselves, with only unbounded activations on the way. Not reported: recurrent weights that begin as a multiple of
    the identity, for which ReLU is meant; normalisations and ways round on the way.

    Known to misfire: short sequences of a fixed length.

    Answered by: swap-activation, clip-gradients.

    Source: Le, Jaitly & Hinton 2015, arXiv:1504.00941; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.
    """
    for operation in flight.tape.operations:
        if operation.name in ("rnn_relu", "rnn_relu_cell"):
            weights = [value for value in recurrent_weights(operation) if value.leaf is not None]
            if weights and not all(is_identity(value.leaf) for value in weights if value.leaf is not None):
                yield finding(flight, operation.path or weights[0].name, "relu", weights[0].leaf)
    for one, function in loops(flight):
        if one.weight.leaf is None or not is_identity(one.weight.leaf):
            yield finding(flight, flight.layer(one), function, one.weight.leaf)


def finding(flight: Flight, where: str, function: str, weight: Tensor | None) -> Finding:
    """A finding at a recurrent layer."""
    radius = spectral_radius(weight)
    return found(
        "unbounded-recurrence",
        "warning",
        where,
        f"{titled(where)} feeds its state back through {function}, which has no upper bound"
        + (f"; its recurrent weights have a spectral radius of {radius:.2g}." if radius is not None else "."),
        why="Training moves the radius; above 1 the state and its gradient grow with every step of the sequence.",
        remedies=("swap-activation", "clip-gradients"),
        layer=where,
        measured=radius if radius is not None else 1.0,
        limit=0.0,
        unit="spectral radius of the recurrent weights",
        confidence=0.8,
    )


def recurrent_weights(operation: Operation) -> Iterator[Value]:
    """The state's own weights of a recurrent layer."""
    given = operation.argument("params") or operation.argument("w_hh")
    for value in values_in(given):
        if "weight_hh" in value.name or operation.name.endswith("cell"):
            yield value


@torch.no_grad()
def spectral_radius(weight: Tensor | None) -> float | None:
    """The largest absolute eigenvalue; None of what is not square or not readable."""
    if weight is None or weight.is_meta or weight.dim() != 2 or weight.shape[0] != weight.shape[1]:
        return None
    if weight.shape[0] > 2048:
        return None
    return float(torch.linalg.eigvals(weight.detach().double().cpu()).abs().max())


@torch.no_grad()
def is_identity(weight: Tensor) -> bool:
    """Whether a square matrix is about a multiple of the identity."""
    if weight.dim() != 2 or weight.shape[0] != weight.shape[1] or weight.is_meta:
        return False
    known = weight.detach().double()
    diagonal = known.diagonal()
    rest = known - torch.diag(diagonal)
    return float(rest.norm()) <= 0.1 * float(diagonal.norm())


def loops(flight: Flight) -> Iterator[tuple[LinearMap, str]]:
    """Weights applied again and again to their own result, with the unbounded function between."""
    applied: dict[int, list[LinearMap]] = {}
    for one in flight.maps:
        applied.setdefault(id(one.weight), []).append(one)
    for turns in applied.values():
        if len(turns) < TURNS or turns[0].data is None:
            continue
        between = [link(earlier, later) for earlier, later in pairwise(turns)]
        functions = [one for one in between if one is not None]
        if len(functions) == len(between) >= TURNS - 1:
            yield turns[0], functions[0].name


def link(earlier: LinearMap, later: LinearMap) -> Activation | None:
    """The unbounded activation on every way from one application of weights to the next; None where there is none."""
    if later.data is None or earlier.unit_axis != later.unit_axis:
        return None
    stack: list[tuple[Value, Activation | None]] = [(later.data, None)]
    reached: Activation | None = None
    seen = set[int]()
    while stack and len(seen) < FARTHEST:
        value, passed = stack.pop()
        maker = value.maker
        if value is earlier.operation.output:
            if passed is None:
                return None
            reached = passed
        elif value is earlier.data:
            return None  # a way round
        elif maker is not None and id(value) not in seen:
            seen.add(id(value))
            name = maker.activation.name if maker.activation is not None else None
            if name is not None and name not in UNBOUNDED and name != "identity":
                continue
            if name is not None or maker.name in VIEWS | DROPOUT | {"add", "sub"} or is_shift(maker):
                stack += [(given, maker.activation or passed) for given in maker.inputs]
    return reached
