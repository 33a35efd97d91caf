"""What a check found, as a value: for a person, for a program, and with what mends it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from limen.findings import Finding
from limen.preflight.fixes import Fix, mend
from limen.preflight.flight import Flight
from limen.preflight.rules.unscaled import RECURRENT
from limen.preflight.words import plain

__all__ = ["Preflight", "verdict_of"]

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Preflight:
    """The result of ``limen.preflight``.

    Attributes:
        model: class of the model.
        findings: worst first; those of one severity as they come along the forward pass.
        parameters: number of the model's entries, trained and frozen.
        layers: applications of a weight; a recurrent layer is one.
        activations: applications of an activation.
        notes: what could not be looked at, one sentence each.
        seconds: what the check took.
    """

    model: str
    findings: tuple[Finding, ...]
    parameters: int
    layers: int
    activations: int
    notes: tuple[str, ...]
    seconds: float
    _flight: Flight = field(repr=False, compare=False)

    @property
    def checked(self) -> nn.Module:
        """The model that was checked, without wrappers."""
        return self._flight.model

    @property
    def verdict(self) -> Literal["sick", "healthy"]:
        """``sick`` with an error or a warning, else ``healthy``."""
        return "sick" if any(one.severity != "info" for one in self.findings) else "healthy"

    def __str__(self) -> str:
        return plain(self)

    def fix(self, *, generator: torch.Generator | None = None) -> Fix:
        """Mend in the model what can be mended without a decision, and say what cannot.

        An activation too many becomes ``nn.Identity``, dropout behind SELU ``nn.AlphaDropout``, an operation in place
        an ordinary one; weights and biases at fault are drawn again at the scale that keeps the signal. An optimiser
        made before goes on with the same parameters. Check again afterwards.

        Args:
            generator: where random numbers come from; torch's own without one.

        Returns:
            A table of what was changed, with ``undo()``.
        """
        return mend(self._flight, self.findings, generator)

    def to_json(self) -> dict[str, object]:
        """The result as plain dictionaries, lists, strings and finite numbers."""
        return {
            "schema": 1,
            "model": self.model,
            "verdict": self.verdict,
            "parameters": self.parameters,
            "layers": self.layers,
            "activations": self.activations,
            "seconds": round(self.seconds, 3),
            "findings": [in_json(one) for one in self.findings],
            "notes": list(self.notes),
        }


def verdict_of(flight: Flight, findings: Iterable[Finding], seconds: float) -> Preflight:
    """The result, with the findings in their order."""
    ordered = sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
    known = {one.key: one for one in reversed(ordered)}  # a module that is called twice is one fault
    return Preflight(
        type(flight.model).__name__,
        tuple(one for one in ordered if known[one.key] is one),
        sum(math.prod(tensor.shape) for tensor in flight.model.parameters()),
        layers(flight),
        sum(1 for _ in flight.activations),
        tuple(notes(flight)),
        seconds,
        flight,
    )


def layers(flight: Flight) -> int:
    """Applications of a weight; a recurrent layer is one, however many weights and steps it has."""
    recurrent = {one.path for one in flight.tape.operations if one.name.removesuffix("_cell") in RECURRENT}
    return len(flight.maps) + len(recurrent)


def notes(flight: Flight) -> Iterator[str]:
    """What could not be looked at, and how it could be."""
    if not flight.losses:
        yield (
            "The head was not checked: the loss is none that is known."
            if flight.has_loss
            else "The head was not checked, since no loss was given."
        )
    if not layers(flight):
        yield "No layer of weights was seen in the pass."
    opaque = [one.path or "the model" for one in flight.tape.operations if one.name == "opaque"]
    if opaque:
        yield f"The inside of {', '.join(dict.fromkeys(opaque))} cannot be seen (scripted, quantised or not torch)."
    if any(tensor.is_meta for tensor in flight.model.parameters()):
        yield "The model has no numbers (meta device): only its wiring was checked."
    if flight.trouble.startswith("the loss raised"):
        yield f"{flight.trouble[0].upper()}{flight.trouble[1:]}."


def in_json(one: Finding) -> dict[str, object]:
    """A finding as in the report of a training."""
    return {
        "symptom": one.symptom,
        "severity": one.severity,
        "where": one.where,
        "layer": one.layer,
        "units": list(one.units),
        "step": one.step,
        "measured": one.measured if math.isfinite(one.measured) else None,
        "limit": one.limit if math.isfinite(one.limit) else None,
        "unit": one.unit,
        "confidence": one.confidence,
        "causes": [{"name": c.name, "confidence": c.confidence, "evidence": c.evidence} for c in one.causes],
        "remedies": list(one.remedies),
        "message": one.message,
    }
