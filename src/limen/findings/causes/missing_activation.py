"""Layers of weights in a row."""

from __future__ import annotations

from collections.abc import Iterator

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.finding import Finding
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals


@fact("missing-activation", explains={"not-learning", "slow-learning"})
def missing_activation(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Two layers of weights with no activation between them: together they are no more than one layer.

    Why it matters: the product of two matrices is one matrix. The second layer adds parameters and time and nothing
    that the net can express; it is nearly always a forgotten line.

    How it is measured: in the graph of the first backward pass, what a layer is given is followed back through changes
    of shape, dropout, constants and batch normalisation with fixed statistics to another layer, whose result nothing
    else reads. Not meant, and so not told: a map through fewer units than go in and come out (low rank, LoRA, an
    inverted bottleneck, the code of an autoencoder); convolutions of groups, of a row and a column, or of channels
    alone beside a larger kernel; what feeds attention; frozen weights; a layer that several branches share. In a model
    without any activation, pooling and batch normalisation are looked through, too, where half of its layers or more
    are found to follow each other so.

    Known to misfire: linear nets that are studied for themselves; a layer whose result the script reads without a
    gradient as well.

    Answered by: add-activation.

    Source: Goodfellow, Bengio & Courville 2016, "Deep Learning", section 6.1.
    """
    bent = bool(vitals.program.interposed) or any(seen.site.function != "identity" for seen in vitals.sites)
    for chain in vitals.program.unseparated if bent or not _is_all(vitals) else vitals.program.barely:
        names = f"{', '.join(chain[:-1])} and {chain[-1]}"
        yield sighting(
            "missing-activation",
            "warning",
            chain[-1],
            f"No activation stands between the layers {names}: {_told(chain, vitals, bent=bent)}.",
            confidence=0.85 if bent else 0.75,  # some nets are linear on purpose
            measured=float(len(chain)),
            limit=1.0,
            unit="layers in a row",
            layer=chain[-1],
        )


def _is_all(vitals: Vitals) -> bool:
    """Whether half of the layers or more are known to have no activation: what limen cannot see may be in others."""
    layers = {one.parameter.layer for one in vitals.parameters if one.parameter.weight}
    return 2 * len({layer for chain in vitals.program.barely for layer in chain}) >= len(layers)


def _told(chain: tuple[str, ...], vitals: Vitals, *, bent: bool) -> str:
    if bent:
        return f"{len(chain)} linear maps in a row are one linear map"
    if chain in vitals.program.unseparated:
        return f"{len(chain)} linear maps in a row are one linear map, and there is no activation in the whole model"
    return "there is none in the whole model, and pooling or normalisation alone cannot take its place"
