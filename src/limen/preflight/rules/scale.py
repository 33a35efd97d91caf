"""How a gradient changes its size on its way through a model, and the weights that make it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from limen.anatomy.tape import LinearMap
from limen.findings import Finding
from limen.preflight.chains import DROPOUT, VIEWS, after
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.numbers import size_of
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check
from limen.theory import forward_gain

SATURATING = frozenset({"sigmoid", "hardsigmoid", "tanh", "hardtanh", "softsign", "relu6"})
RATIO = "gradient of the first layer over that of the last"
ORDERED = 0.8  # rank correlation of the gradient's size with depth


@check("bad-initialisation")
def unfit_scale(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Weights at a scale that their activation cannot carry: the gradient vanishes or explodes, or units start stuck.

    Why it matters: each layer multiplies the gradient by about the same factor. Over twenty layers 0.58, what torch's
    own initialisation makes of a linear layer, leaves 1e-5 of it; weights ten times too wide begin with every tanh
    unit at its bound.

    How it is measured: a backward pass on the sample gives the norm of the gradient at the result of each layer; a
    steady fall from the last layer to the first by more than 1e5, or a steady rise by 1e4, is reported with its
    factor for each layer. A single layer is reported where its weights are ten times wider than its activation keeps,
    without a normalisation between, and the sample's pre-activations are that large or half of them
    stuck.

    What theory predicts for the weights' means and variances (`limen.theory.predict`) stands beside it; where that sees
    no fault, it is a remark.

    Known to misfire: a sample unlike the training data; layers that share their weights.

    Answered by: reinitialise, add-normalisation.

    Source: He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks".
    """
    if (change := profile(flight, limits)) is not None and not is_too_deep(flight, change):
        yield of_profile(flight, change, limits)
    else:
        for one in flight.maps:
            yield from too_wide(flight, one, limits)


@check("too-deep-without-normalisation")
def too_deep(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """A stack of saturating activations that is too deep for any initialisation to keep its gradient.

    Why it matters: the slope of a sigmoid is at most 1/4, and less where it saturates; ten such layers leave less than
    a millionth of the gradient to the first. A normalisation, or a way round each block, keeps it.

    How it is measured: as for bad-initialisation, where most activations saturate and the weights are not to blame:
    the scale that keeps the signal would not keep the gradient.

    Known to misfire: nets that are trained layer by layer.

    Answered by: swap-activation, add-normalisation.

    Source: Hochreiter 1991; Glorot & Bengio 2010.
    """
    change = profile(flight, limits)
    if change is None or not is_too_deep(flight, change):
        return
    functions = sorted({one.activation.name for one in flight.activations if one.activation is not None})
    layer = flight.layer(change[0])
    yield found(
        "too-deep-without-normalisation",
        "warning",
        layer,
        f"{words(flight, change)} of {' and '.join(functions)}.",
        why="No scale of the weights keeps a gradient through so many slopes below one.",
        remedies=("swap-activation", "add-normalisation"),
        layer=layer,
        measured=change[2],
        limit=limits.vanished,
        unit=RATIO,
        confidence=0.9,
    )


Change = tuple[LinearMap, LinearMap, float, float, int]
"""First and last layer, the ratio of their gradients, the factor for each layer, and how many layers."""


def profile(flight: Flight, limits: Limits) -> Change | None:
    """How the gradient changes from the last layer to the first; None where it stays within the limits."""
    sized = [(one, flight.gradients.get(id(one.operation.output), 0.0)) for one in flight.maps if one.data is not None]
    sized = [(one, size) for one, size in sized if size > 0.0 and np.isfinite(size)]
    if len(sized) <= limits.depth or not any(True for _ in flight.activations):
        return None
    sizes = np.log10([size for _, size in sized])
    ratio = float(10 ** (sizes[0] - sizes[-1]))
    ranks = np.argsort(np.argsort(sizes))
    ordered = float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
    rises = ratio < limits.vanished and ordered >= ORDERED
    falls = ratio > limits.exploded and ordered <= -ORDERED
    if not (rises or falls):
        return None
    return sized[0][0], sized[-1][0], ratio, ratio ** (1 / (len(sized) - 1)), len(sized)


def is_too_deep(flight: Flight, change: Change) -> bool:
    """Whether saturating activations, and not the weights, take the gradient away."""
    names = [one.activation.name for one in flight.activations if one.activation is not None]
    if change[2] > 1.0 or 2 * sum(name in SATURATING for name in names) < len(names):
        return False
    gains = [gain for one in flight.maps if (gain := gain_of(one)) is not None]
    usual = float(np.median(gains)) if gains else 1.0
    sigmoids = 2 * sum(name in ("sigmoid", "hardsigmoid") for name in names) >= len(names)
    return usual < 8.0 if sigmoids else 0.8 <= usual < 2.5


def of_profile(flight: Flight, change: Change, limits: Limits) -> Finding:
    """The finding of a gradient that vanishes or explodes for want of the right scale."""
    ratio, layer = change[2], flight.layer(change[0])
    gains = [gain for one in flight.maps if (gain := gain_of(one)) is not None]
    functions = Counter(one.activation for one in flight.activations if one.activation is not None)
    ((common, _),) = functions.most_common(1)  # of several as frequent, the first
    usual = f"{np.median(gains):.2g}" if gains else "?"
    return found(
        "bad-initialisation",
        "warning",
        layer,
        f"{words(flight, change)}.",
        why=f"Weights times the root of their inputs are {usual} in the median; {common.name} keeps a signal at "
        f"{forward_gain(common):.2f}.",
        remedies=("reinitialise", "add-normalisation"),
        layer=layer,
        measured=ratio,
        limit=limits.vanished if ratio < 1.0 else limits.exploded,
        unit=RATIO,
        confidence=0.9,
    )


def words(flight: Flight, change: Change) -> str:
    """A sentence on the gradient at the first layer, without its end."""
    first, last, ratio, factor, count = change
    places = titled(flight.layer(first)), titled(flight.layer(last))
    return (
        f"The gradient at {places[0]} is {ratio:.2g} times that at {places[1]}: a factor of {factor:.2g} for each of "
        f"{count} layers"
    )


def gain_of(one: LinearMap) -> float | None:
    """Root mean square of the weights times the root of the inputs they are summed over; None where not readable."""
    weight = one.weight.leaf
    if one.data is None or weight is None or weight.is_meta or not one.exact:
        return None
    return size_of(weight) * one.fan_in**0.5


def too_wide(flight: Flight, one: LinearMap, limits: Limits) -> Iterator[Finding]:
    """A layer whose weights push its activation to where it does not belong."""
    gain = gain_of(one)
    readers = tuple(after(flight.tape, one.operation.output, VIEWS | DROPOUT, shifts=False))
    if gain is None or one.weight.leaf is None or not one.weight.leaf.requires_grad or len(readers) != 1:
        return
    act, seen = readers[0].activation, flight.activity.get(id(readers[0]))
    if act is None or seen is None:
        return
    excess = gain / forward_gain(act)
    size = float((seen.mean.square() + seen.std.square()).mean().sqrt())
    stuck = act.name in SATURATING and seen.flat >= 0.5
    if excess < limits.wide or not (stuck or size >= limits.wide):
        return
    layer = flight.layer(one)
    yield found(
        "bad-initialisation",
        "warning",
        layer,
        f"The weights of {titled(layer)} are {excess:.3g} times as wide as {act.name} keeps; its pre-activations have "
        f"a root mean square of {size:.3g}.",
        why=f"{100 * seen.flat:.0f} % of them are where {act.name} is flat."
        if act.name in SATURATING
        else "What comes out is as much too large, and the loss and its gradient with it.",
        remedies=("reinitialise", "add-normalisation"),
        layer=layer,
        measured=excess,
        limit=limits.wide,
        unit="times the scale that keeps the signal",
        confidence=0.9,
    )
