"""One training as several ranks saw it: the same steps and weights, each its own samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from limen.sites import Site
from limen.vitals.aligned import Aligned, mean_of
from limen.vitals.rank_sites import merge_sites
from limen.vitals.snapshot import (
    InputVitals,
    LossVitals,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteVitals,
    Vitals,
)

__all__ = ["matched", "merge_ranks", "site_key"]

T = TypeVar("T")

SAME = 1e-3  # relative difference of two norms of one gradient; ranks sum it in the same order, bit by bit the same


def merge_ranks(ranks: Sequence[Vitals], world: int) -> Vitals:
    """What one process would have seen that trained on the samples of all ranks at each step.

    Data-parallel training averages the gradients of ``world`` ranks, so the loss is the mean of theirs, and its
    gradient at an activation is that of the rank's own loss divided by ``world``: norms of activations add in
    quadrature after that division. The gradient of a parameter is the same on each rank after it was averaged, so one
    of them stands for all; of a parameter that is held in parts, the squares of the parts' norms add. Where ranks are
    missing, the mean square of those that are there stands for theirs.

    Args:
        ranks: of one run, one each, in the order of their numbers.
        world: number of ranks of the run.
    """
    inputs = [vitals.inputs for vitals in ranks if vitals.inputs is not None]
    parameters = matched((v.parameters for v in ranks), lambda seen: seen.parameter.name)
    notes = [note for vitals in ranks for note in vitals.notes]
    return Vitals(
        step=max(vitals.step for vitals in ranks),
        looked=max(vitals.looked for vitals in ranks),
        samples=sum(vitals.samples for vitals in ranks),
        sites=tuple(merge_sites(parts, world) for parts in matched((v.sites for v in ranks), site_key)),
        parameters=tuple(map(_parameter, parameters)),
        losses=tuple(map(_loss, matched((v.losses for v in ranks), lambda seen: seen.optimiser))),
        optimisers=tuple(map(_optimiser, matched((v.optimisers for v in ranks), lambda seen: seen.name))),
        inputs=_inputs(inputs) if inputs else None,
        notes=tuple(dict.fromkeys([*notes, *_drifted(parameters)])),
        program=ranks[0].program,  # all run the same one
    )


def site_key(seen: SiteVitals) -> Hashable:
    """What makes it the same site on another rank: names may depend on what else a rank has met."""
    site: Site = seen.site
    return site.model, site.path, site.function, site.call


def matched(ranks: Iterable[Iterable[T]], key: Callable[[T], Hashable]) -> list[list[T]]:
    """What is the same on several ranks, together; entries of one key are told apart by their order."""
    found: dict[Hashable, list[T]] = {}
    for entries in ranks:
        seen: Counter[Hashable] = Counter()
        for entry in entries:
            seen[key(entry)] += 1
            found.setdefault((key(entry), seen[key(entry)]), []).append(entry)
    return list(found.values())


def _parameter(parts: Sequence[ParameterVitals]) -> ParameterVitals:
    histories = [part.history for part in parts]
    rows = Aligned([history.step for history in histories])
    shards = parts[0].parameter.shards
    nonfinite = [part.first_nonfinite for part in parts if part.first_nonfinite is not None]
    if shards == 1:
        columns = [rows.first(getattr(h, name) for h in histories) for name in ("gradient", "weight", "update")]
    else:
        tables = [rows.table(getattr(h, name) for h in histories) for name in ("gradient", "weight", "update")]
        gradient, weight, update = tables
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            whole = np.sqrt(shards * mean_of(weight**2))
            moved = np.sqrt(shards * mean_of((update * weight) ** 2))
            columns = [np.sqrt(shards * mean_of(gradient**2)), whole, moved / whole]
    return replace(
        parts[0], history=ParameterHistory(rows.step, *columns), first_nonfinite=min(nonfinite, default=None)
    )


def _drifted(parameters: Sequence[Sequence[ParameterVitals]]) -> list[str]:
    """A note where gradients that should have been averaged differ."""
    names = [parts[0].parameter.name for parts in parameters if parts[0].parameter.shards == 1 and _differ(parts)]
    if not names:
        return []
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [
        f"The gradients of {names[0]}{others} differ between ranks when the optimiser steps: nothing averages them. "
        "Shown are those of the first rank. Train through DistributedDataParallel, or average them before the step."
    ]


def _differ(parts: Sequence[ParameterVitals]) -> bool:
    table = Aligned([part.history.step for part in parts]).table(part.history.gradient for part in parts)
    low, high = np.fmin.reduce(table, axis=0), np.fmax.reduce(table, axis=0)
    finite = np.isfinite(low) & np.isfinite(high)
    return bool(np.any(high[finite] - low[finite] > SAME * high[finite]))


def _loss(parts: Sequence[LossVitals]) -> LossVitals:
    rows = Aligned([part.step for part in parts])
    return replace(parts[0], step=rows.step, value=mean_of(rows.table(part.value for part in parts)))


def _optimiser(parts: Sequence[OptimiserVitals]) -> OptimiserVitals:
    rows = Aligned([part.step for part in parts])
    rate = rows.first(part.learning_rate for part in parts)
    return replace(parts[0], step=rows.step, learning_rate=rate, uncleared=max(part.uncleared for part in parts))


def _inputs(parts: Sequence[InputVitals]) -> InputVitals:
    """Ranks have batches of one size, or nearly."""
    mean = sum(part.mean for part in parts) / len(parts)
    variance = sum(part.std**2 + (part.mean - mean) ** 2 for part in parts) / len(parts)
    return InputVitals(
        mean=mean,
        std=variance**0.5,
        low=min(part.low for part in parts),
        high=max(part.high for part in parts),
        features=parts[0].features,
    )
