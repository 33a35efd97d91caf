"""Give dead units a fresh start without changing what the network computes."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from limen.anatomy import Consumer, Wiring
from limen.journal import TreatmentRecord
from limen.treatments.applied import Applied, Refused
from limen.treatments.entries import Entries, Undo, reset_state, undo_all, write

__all__ = ["NAME", "revive_units"]

NAME = "revive-units"
ALIKE = 1e-4  # times 1 / sqrt(fan in): the spread that rounding gives to weights that began all equal


def revive_units(
    wiring: Wiring,
    units: Sequence[int],
    optimisers: Sequence[Optimizer],
    *,
    generator: torch.Generator,
    step: int = 0,
    finding: str = "",
) -> Applied | Refused:
    """Re-draw what feeds the dead units of a site, and silence what reads them until they have learnt something.

    The incoming weights are drawn anew from a uniform distribution with the standard deviation that the layer
    had before its first update; bias entries become 0, scale and shift of a normalisation 1 and 0; the outgoing
    weights become 0; the optimiser forgets what it remembered of all these entries. A dead unit gave 0 to its
    readers, and gives 0 afterwards, so the network computes the same. At the next step the outgoing weights get
    gradients, and from then on the incoming ones too.

    Several sites are treated in forward order: the weights between two of them are outgoing for the first and
    incoming for the second, and must end up drawn, not 0.

    Args:
        wiring: the live tensors around the site.
        units: indices of the dead units.
        optimisers: all that may hold state of these tensors; empty for a hand-written update.
        generator: limen's own, on the CPU; the training's random streams are not touched.
        step: the step after which this happens, for the record.
        finding: key of the finding it answers, for the record.

    Returns:
        The change and its undo, or the reason why nothing was changed.

    Source: Sokar et al. 2023, arXiv:2302.12902 (ReDo), with the layer's own scale instead of a fixed one.
    """
    reason = obstacle(wiring, units)
    if reason or wiring.weight is None:
        return Refused(NAME, wiring.site.name, reason)
    index = torch.tensor(sorted(set(units)), dtype=torch.int64)
    silenced = [Entries(c.weight, 1, columns(wiring, c, index)) for c in wiring.consumers]
    undos: list[Undo] = []
    for entries, values in [*fresh(wiring, wiring.weight, index, generator), *((entries, 0.0) for entries in silenced)]:
        undos += [write(entries, values), *reset_state(entries, optimisers)]
    readers = ", ".join(consumer.name for consumer in wiring.consumers)
    record = TreatmentRecord(
        name=NAME,
        where=wiring.site.name,
        step=step,
        kept=True,
        detail=f"{len(index)} of {wiring.weight.shape[0]} units of {wiring.site.title}: incoming weights drawn anew "
        f"(standard deviation {wiring.initial_std:.3g}), outgoing weights in {readers} set to 0, "
        "optimiser state of these entries reset",
        before={"dead units": float(len(index))},
        finding=finding,
    )
    return Applied(record, undo_all(undos))


def obstacle(wiring: Wiring, units: Sequence[int]) -> str:
    """Why the units of this site cannot be revived without changing the network's function; empty if they can."""
    weight, site = wiring.weight, wiring.site.title
    if weight is None:
        return f"the weights that feed {site} were not found"
    if not wiring.consumers:
        return f"{site} is read by something other than weights, so its units cannot be silenced while they recover"
    if not units:
        return f"no unit of {site} was named"
    if min(units) < 0 or max(units) >= weight.shape[0]:
        return f"units {min(units)} to {max(units)} were named, and {site} has {weight.shape[0]}"
    scale = wiring.initial_std * math.sqrt(weight[0].numel())
    if not (math.isfinite(scale) and scale > ALIKE):
        return f"the weights that feed {site} began with a spread of {wiring.initial_std:.3g}: nothing to draw"
    tensors = [weight, *(consumer.weight for consumer in wiring.consumers)]
    if not all(tensor.is_leaf and tensor.is_floating_point() for tensor in tensors):
        return f"weights around {site} are computed from others (a parametrisation), so a change would not last"
    if len({tensor.data_ptr() for tensor in tensors}) < len(tensors):
        return f"weights around {site} are tied to each other, so a change of one place would change another"
    for consumer in wiring.consumers:
        if consumer.weight.shape[1] != weight.shape[0] * consumer.width:
            return (
                f"{consumer.name} has {consumer.weight.shape[1]} input entries, not {weight.shape[0]} x "
                f"{consumer.width}: it reads {site} in groups, so a unit has no column of its own"
            )
    return ""


def fresh(
    wiring: Wiring, weight: Tensor, index: Tensor, generator: torch.Generator
) -> list[tuple[Entries, Tensor | float]]:
    """The new values of all that feeds the units: weights, bias, scale and shift."""
    bound = math.sqrt(3.0) * wiring.initial_std  # a uniform distribution on ±b has the standard deviation b / sqrt(3)
    shape = (len(index), *weight.shape[1:])
    drawn = (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1) * bound
    others = ((wiring.bias, 0.0), (wiring.norm_weight, 1.0), (wiring.norm_bias, 0.0))
    return [
        (Entries(weight, 0, index), drawn),
        *((Entries(tensor, 0, index), value) for tensor, value in others if tensor is not None),
    ]


def columns(wiring: Wiring, consumer: Consumer, index: Tensor) -> Tensor:
    """The entries of a reader's axis 1 that belong to the units: ``[units * width]``.

    A flattened convolution ``[samples, units, pixels]`` puts the entries of a unit side by side; flattened features
    ``[samples, time, units]``, whose unit axis is the last one, lie ``units`` apart.
    """
    along = torch.arange(consumer.width)
    if wiring.site.axis == -1:
        units = consumer.weight.shape[1] // consumer.width
        return (index[:, None] + along * units).flatten()
    return (index[:, None] * consumer.width + along).flatten()
