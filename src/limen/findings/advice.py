"""What to do about one finding: a sentence for each remedy, with the names and figures of the case."""

from __future__ import annotations

import numpy as np

from limen.errors import UnknownName
from limen.findings.finding import REMEDIES, Finding
from limen.vitals import SiteVitals, Vitals

__all__ = ["advice", "is_safe"]

STEP = 10.0  # what a learning rate is divided or multiplied by, as the pages of both remedies say

ACTIONS: dict[str, str] = {
    "swap-activation": "Use {instead} in place of {function}{at}.",
    "reinitialise": "Draw the weights{of} again {scale}, with biases at zero.",
    "revive-units": "Draw the incoming weights of the {units}dead units{of} again and set their outgoing ones to zero.",
    "lower-learning-rate": "Lower the learning rate{lower}.",
    "raise-learning-rate": "Raise the learning rate{higher}.",
    "add-normalisation": "Put BatchNorm or LayerNorm before the activation{at}.",
    "clip-gradients": "Call torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) between backward and step.",
    "scale-inputs": "Subtract the mean of the inputs and divide by their standard deviation{inputs}.",
    "scale-targets": "Subtract the mean of the targets and divide by their standard deviation.",
    "fix-output-head": "Let the last layer give what the loss expects: raw scores for cross-entropy.",
    "fix-loss": "Use the loss that takes raw scores, and keep log, sqrt and division in it away from zero.",
    "fix-training-loop": "Check each step: zero_grad, forward, backward, step, and every parameter in the optimiser.",
    "add-activation": "Put an activation between the linear layers that follow each other{at}.",
    "change-optimiser": "Use Adam or AdamW, which move layers with a small gradient as well.",
    "reduce-dropout": "Lower the dropout probability to 0.2 or less.",
}
"""One sentence for each remedy; the names in braces are filled in from the case, or left out."""

SAFE = " `--treat safe` does this while the training runs."

BOUNDED = ("tanh", "sigmoid", "hardtanh", "hardsigmoid", "softsign")
RATE = "learning-rate-too-high"
SURE = 0.5  # confidence from which the rate is treated beside a likelier cause
RATE_SYMPTOMS = ("dead-units", "dying-units", "exploding-gradient", "exploding-activations")
OVER = ("learning-rate-too-high", "bad-initialisation", "bad-bias", "dead-from-start")  # units may be revived after it


def advice(remedy: str, finding: Finding, vitals: Vitals | None = None) -> str:
    """One sentence on how to apply a remedy to a finding, and whether ``--treat safe`` does it.

    Args:
        remedy: One of ``finding.remedies``.
        finding: What is to be mended.
        vitals: What was seen, for the figures; without, only what the finding itself tells is filled in.

    Raises:
        UnknownName: There is no such remedy (also a ``KeyError``); the nearest name is suggested.
    """
    if remedy not in ACTIONS:
        raise UnknownName.of("remedy", remedy, REMEDIES)
    return ACTIONS[remedy].format_map(_facts(finding, vitals or Vitals())) + SAFE * is_safe(remedy, finding)


def is_safe(remedy: str, finding: Finding) -> bool:
    """Whether ``--treat safe`` would apply a remedy to a finding: the network's function is kept, and it would last."""
    if remedy not in finding.remedies or finding.severity == "info" or finding.closed is not None:
        return False
    rate = finding.causes[:1] and finding.causes[0].name == RATE
    rate = rate or any(one.name == RATE and one.confidence >= SURE for one in finding.causes)
    if remedy == "lower-learning-rate":
        return bool(rate) and finding.symptom in RATE_SYMPTOMS
    over = not finding.causes or finding.causes[0].name in OVER
    return remedy == "revive-units" and finding.symptom == "dead-units" and over


def _facts(finding: Finding, vitals: Vitals) -> dict[str, str]:
    seen = vitals.site(finding.where)
    function = seen.site.function if seen is not None else ""
    bounded = function.startswith(BOUNDED)
    rates = _rates(finding, vitals)
    inputs = vitals.inputs
    return {
        "at": _at(finding, seen),
        "of": f" of {finding.layer}" if finding.layer else "",
        "function": function or "the activation",
        "instead": "a member of the ReLU family" if bounded else "leaky_relu, elu or gelu",
        "scale": "with nn.init.xavier_normal_" if bounded else "with nn.init.kaiming_normal_",
        "units": f"{len(finding.units)} " if finding.units else "",
        "lower": f" ({rates[0]:.3g} → try {rates[0] / STEP:.3g})" if rates else "",
        "higher": f" ({rates[1]:.3g} → try {rates[1] * STEP:.3g})" if rates else "",
        "inputs": f" ({inputs.mean:.3g} and {inputs.std:.3g})" if inputs and np.isfinite(inputs.std) else "",
    }


def _at(finding: Finding, seen: SiteVitals | None) -> str:
    if finding.layer is None:
        return ""
    if seen is None or seen.site.title == seen.site.name:
        return f" at {finding.where}"
    return seen.site.title.removeprefix(seen.site.function)  # " after layer 0"


def _rates(finding: Finding, vitals: Vitals) -> tuple[float, float] | None:
    """The largest learning rate until the finding, and the latest; None for a hand-written update."""
    owners = {one.optimiser for one in vitals.parameters if finding.layer in (None, one.parameter.layer)} - {None}
    owner = next(iter(owners)) if len(owners) == 1 else None
    if owner is None or len(vitals.optimisers[owner].step) == 0:
        return None
    seen = vitals.optimisers[owner]
    until = max(1, int((seen.step <= finding.step).sum()))
    return float(seen.learning_rate[:until].max()), float(seen.learning_rate[-1])
