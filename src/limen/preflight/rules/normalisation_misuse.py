"""Noise before layers that keep statistics, and normalisations of nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from limen.anatomy.tape import Operation
from limen.findings import Finding
from limen.preflight.chains import DROPOUT, VIEWS, before
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

PLAIN = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d"})
ACROSS = 4  # layers and activations between a dropout and the normalisation that it disturbs


@check("normalisation-misuse")
def normalisation_misuse(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Dropout that disturbs a normalisation, or a normalisation that normalises a single number.

    Why it matters: dropout widens what passes by 1 / (1 - p) in training and not in use, and batch normalisation keeps
    the training's variance for both. SELU keeps mean and variance by itself, which ordinary dropout upsets and
    AlphaDropout does not. A normalisation over one number gives zero whatever it is given.

    How it is measured: dropout, then at most a few layers and activations, then batch normalisation, where the variance
    changes by half or more (p of 1/3); dropout directly behind SELU; the number of entries that are normalised
    together.

    Known to misfire: batch normalisation whose statistics are computed again without dropout.

    Answered by: fix-normalisation.

    Source: Li et al. 2019, "Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift",
    arXiv:1801.05134; Klambauer et al. 2017, arXiv:1706.02515.
    """
    for operation in flight.tape.operations:
        if operation.name in PLAIN:
            yield from behind_selu(flight, operation)
        elif operation.name == "batch_norm":
            yield from disturbed(flight, operation, limits)
        elif operation.name in ("layer_norm", "group_norm"):
            yield from of_nothing(flight, operation)


def share_of(operation: Operation) -> float:
    """The probability of a dropout."""
    share = operation.argument("p", 0.5)
    return float(share) if isinstance(share, int | float) else 0.0


def behind_selu(flight: Flight, operation: Operation) -> Iterator[Finding]:
    """Ordinary dropout of what SELU made."""
    made = before(operation.inputs[0], VIEWS).maker
    if made is None or made.activation is None or made.activation.name != "selu" or share_of(operation) == 0.0:
        return
    yield found(
        "normalisation-misuse",
        "warning",
        flight.place(operation),
        f"{flight.call(operation)} follows SELU ({titled(flight.place(made))}).",
        why="Zeros in place of SELU's values shift mean and variance, which the next layers would have kept; "
        "AlphaDropout sets them to SELU's lower bound and corrects both.",
        remedies=("fix-normalisation",),
        layer=operation.path or None,
        measured=share_of(operation),
        unit="probability",
    )


def disturbed(flight: Flight, norm: Operation, limits: Limits) -> Iterator[Finding]:
    """Batch normalisation behind a strong dropout."""
    value = norm.inputs[0]
    for _ in range(ACROSS):
        maker = before(value, VIEWS).maker
        if maker is None or not maker.inputs:
            return
        if maker.name in DROPOUT:
            share = share_of(maker)
            growth = 1.0 / (1.0 - share) if share < 1.0 else math.inf
            if growth >= limits.strong_dropout:
                place, at = flight.place(norm), flight.place(maker)
                yield found(
                    "normalisation-misuse",
                    "warning",
                    place,
                    f"Dropout of {share:g} ({titled(at)}) stands before batch normalisation ({titled(place)}).",
                    why=f"In training the variance is up to {growth:.2g} times what it is in use, and the running "
                    "statistics are those of the training.",
                    remedies=("fix-normalisation", "reduce-dropout"),
                    layer=at,
                    measured=growth,
                    limit=limits.strong_dropout,
                    unit="variance in training over variance in use",
                    confidence=0.8,
                )
            return
        if id(maker) not in flight.map_at and maker.activation is None:
            return
        found_map = flight.map_at.get(id(maker))
        value = found_map.data if found_map is not None and found_map.data is not None else maker.inputs[0]


def of_nothing(flight: Flight, norm: Operation) -> Iterator[Finding]:
    """A normalisation over a single entry."""
    shape = norm.inputs[0].shape
    if norm.name == "layer_norm":
        over = norm.argument("normalized_shape", ())
        count = math.prod(over) if isinstance(over, tuple | list) else int(over)
    else:
        count = math.prod(shape[1:]) // max(1, int(norm.argument("num_groups", 1)))
    if count == 1:
        place = flight.place(norm)
        message = f"{norm.name} ({titled(place)}) normalises single numbers, and so gives its shift whatever comes."
        why = "One number less its own mean is zero; no gradient passes."
        yield found(
            "normalisation-misuse", "error", place, message, why=why, remedies=("fix-normalisation",), layer=place
        )
