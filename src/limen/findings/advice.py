"""What to do about one finding: a sentence for each remedy, with the names and figures of the case."""

from __future__ import annotations

import numpy as np

from limen.errors import UnknownName
from limen.findings.causes.normalisation_misuse import FEW, PAIR, SCATTER, UNTOUCHED
from limen.findings.finding import REMEDIES, Finding
from limen.findings.indications import is_safe
from limen.findings.output_fit import CLIMB, RANGES, RAW_SCORES, REGRESSION, WANTED
from limen.findings.profile import PROFILE
from limen.findings.rate_choice import (
    RATE_LIMITS,
    learning_rate_factor,
    optimiser_of,
    telling_window,
    update_ratio,
)
from limen.vitals import SiteVitals, Vitals

__all__ = ["advice"]

STEP = 10.0  # what a learning rate is multiplied by, as the page of the remedy says
MOST_NAMED = 5  # layers in a row that are named one by one
SLACK = 0.05  # of a power of ten, so that an update a little above one is told as that one
USUAL = 1e-3  # update ratio that is aimed at where one is known

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
    "fix-output-head": "{head}Let the last layer give what the loss expects: {expected}.",
    "fix-loss": "{mended}",
    "fix-training-loop": "{loop}",
    "add-activation": "Put an activation, relu for instance, {between}.",
    "change-optimiser": "Use Adam or AdamW, which move layers with a small gradient as well.",
    "reduce-dropout": "Lower the dropout probability to 0.2 or less.",
    "remove-activation": "Take the second activation{at} away, or put nn.Identity in its place.",
    "avoid-in-place": "Let the operation{at} make a new tensor: inplace=False.",
    "fix-normalisation": "{statistics}",
}
"""One sentence for each remedy; the names in braces are filled in from the case, or left out."""

SIGN = (
    "Turn the sign of the loss (a minus before it, or maximize=True, is one too many): what is minimised has to be "
    "smallest where the network is right."
)
RAW = (
    "Use the loss that takes raw scores (cross_entropy, binary_cross_entropy_with_logits), and keep log, sqrt and "
    "division in it away from zero."
)
KEPT = "what is meant to stay gets requires_grad = False."
REACHED: dict[str, str] = {
    "no-optimiser": f"Make the optimiser of all that is to be trained, as with model.parameters(); {KEPT}",
    "no-gradient": f"Let nothing from these layers to the loss leave the graph (detach, no_grad, item, numpy); {KEPT}",
}
"""How a layer is reached, by why it is not."""

STATISTICS: dict[str, str] = {
    "few": "Use batches of 16 or more, or nn.GroupNorm or nn.LayerNorm, which take no mean over the batch.",
    "one": "Let the normalisation run over more than one number, or leave it out.",
    "untouched": "Have the normalisation in training mode while you train: model.train().",
    "dropped": "Put dropout behind the last batch normalisation, or lower its probability to 0.2.",
    "": "Put dropout behind the last batch normalisation; use nn.AlphaDropout with SELU.",
}
"""What to do about a normalisation, by what is wrong with its statistics."""

LOOP: dict[str, str] = {
    "missing-zero-grad": "Call optimizer.zero_grad() in each step, before backward.",
    "no-gradient-path": "Give the optimiser every parameter of the model, and see that nothing between them and the "
    "loss leaves the graph (detach, no_grad, item, numpy); " + KEPT,
    "": "Check each step: zero_grad, forward, backward, step, and every parameter in the optimiser.",
}
"""What to look for in a training loop, by the likeliest cause; in general, where that is another."""

SAFE = " `--treat safe` does this while the training runs."

BOUNDED = ("tanh", "sigmoid", "hardtanh", "hardsigmoid", "softsign")


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
    return ACTIONS[remedy].format_map(_facts(finding, vitals or Vitals())) + SAFE * is_safe(remedy, finding, vitals)


def _facts(finding: Finding, vitals: Vitals) -> dict[str, str]:
    seen = vitals.site(finding.where)
    function = seen.site.function if seen is not None else ""
    bounded = function.startswith(BOUNDED)
    rates = _rates(finding, vitals)
    inputs = vitals.inputs
    return {
        "at": _at(finding, seen, vitals),
        "of": _of(finding, seen, vitals),
        "function": function or "the activation",
        "instead": "a member of the ReLU family" if bounded else "leaky_relu, elu or gelu",
        "scale": "with nn.init.xavier_normal_" if bounded else "with nn.init.kaiming_normal_",
        "units": f"{len(finding.units)} " if finding.units else "",
        "lower": _lower(finding, vitals),
        "higher": f" ({rates[1]:.3g} → try {rates[1] * _raised(finding):.3g})" if rates else "",
        "expected": _expected(vitals),
        "mended": SIGN if finding.unit == CLIMB else RAW,
        "head": _head(vitals),
        "between": _between(finding, vitals),
        "statistics": _statistics(finding, vitals),
        "loop": _loop(finding, vitals),
        "inputs": f" ({inputs.mean:.3g} and {inputs.std:.3g})" if inputs and np.isfinite(inputs.std) else "",
    }


def _expected(vitals: Vitals) -> str:
    """What the loss of a training is to be given; of several, or of none that is known, an example."""
    functions = {one.function for one in vitals.losses}
    if functions & set(REGRESSION) == functions and functions:
        return "values without a bound"
    return (
        WANTED[min(functions)] if len(functions) == 1 and functions <= set(WANTED) else "raw scores for cross-entropy"
    )


def _head(vitals: Vitals) -> str:
    """Which function to take away before a loss that takes one itself; empty where none stands there."""
    heads = {one.head for one in vitals.losses if one.function in RAW_SCORES and one.head in RANGES}
    return f"Take the {min(heads)} before the loss away. " if len(heads) == 1 else ""


def _between(finding: Finding, vitals: Vitals) -> str:
    chains = (*vitals.program.unseparated, *vitals.program.barely)
    chain: tuple[str, ...] = next((one for one in chains if one[-1] == finding.layer), ())
    if not 1 < len(chain) <= MOST_NAMED:
        return f"between the linear layers that follow each other{f' at {finding.layer}' if finding.layer else ''}"
    before = list(chain[:-1])
    last = before.pop()
    return f"after {', '.join(before)}{' and ' if before else ''}{last}"


def _statistics(finding: Finding, vitals: Vitals) -> str:
    if finding.causes and finding.causes[0].name != "normalisation-misuse":
        return STATISTICS[""]
    if finding.unit == FEW:
        return STATISTICS["few" if finding.limit == PAIR else "one"]
    if finding.unit == SCATTER:
        return STATISTICS["few"]
    if finding.unit == UNTOUCHED:
        return STATISTICS["untouched"]
    return STATISTICS["dropped" if any(one.name == finding.where for one in vitals.program.norms) else ""]


def _loop(finding: Finding, vitals: Vitals) -> str:
    name = next((one.name for one in finding.causes if one.name in LOOP), "")
    reasons = {one.reason for one in vitals.program.untrained if one.as_drawn}
    return REACHED[min(reasons)] if name == "no-gradient-path" and len(reasons) == 1 else LOOP[name]


def _of(finding: Finding, seen: SiteVitals | None, vitals: Vitals) -> str:
    hidden = _hidden(finding, seen, vitals)
    if hidden:
        return f" of all {len(hidden)} hidden layers"
    layer = finding.layer or ""
    return f" of {layer if any(one.isalpha() for one in layer) else f'layer {layer}'}" if layer else ""


def _at(finding: Finding, seen: SiteVitals | None, vitals: Vitals) -> str:
    hidden = _hidden(finding, seen, vitals)
    if hidden and seen is not None:
        alike = sum(function == seen.site.function for function in hidden.values())
        return f" in {'all' if alike == len(hidden) else f'{alike} of'} {len(hidden)} hidden layers"
    if finding.layer is None:
        return ""
    if seen is None or seen.site.title == seen.site.name:
        return f" at {finding.where}"
    return seen.site.title.removeprefix(seen.site.function)  # " after layer 0"


def _hidden(finding: Finding, seen: SiteVitals | None, vitals: Vitals) -> dict[str, str]:
    """The hidden layers of a model with their functions, where a finding at the first of them is about them all."""
    if finding.unit != PROFILE or seen is None:
        return {}
    own = [one.site for one in vitals.sites if one.site.model == seen.site.model and not one.site.head]
    return {site.layer: site.function for site in own if site.layer is not None}


def _raised(finding: Finding) -> float:
    """What a learning rate is multiplied by: where the update ratio is known, the power of ten that makes it usual."""
    if finding.symptom is not None or finding.unit != "update ratio" or not 0.0 < finding.measured < USUAL:
        return STEP
    return float(max(STEP, 10.0 ** np.floor(np.log10(USUAL / finding.measured) + SLACK)))


def _lower(finding: Finding, vitals: Vitals) -> str:
    """The rate until the finding and the one that the treatment would choose; less, where it would lower it again."""
    optimiser = optimiser_of(finding, vitals)
    rates = _rates(finding, vitals)
    if optimiser is None or rates is None:
        return ""
    factor = learning_rate_factor(update_ratio(vitals, optimiser, *telling_window(finding, vitals)))
    less = " or less" * (factor <= RATE_LIMITS.strongest)
    return f" ({rates[0]:.3g} → try {rates[0] * factor:.3g}{less})"


def _rates(finding: Finding, vitals: Vitals) -> tuple[float, float] | None:
    """The largest learning rate until the finding, and the latest; None for a hand-written update."""
    owner = optimiser_of(finding, vitals)
    if owner is None or len(vitals.optimisers[owner].step) == 0:
        return None
    seen = vitals.optimisers[owner]
    until = max(1, int((seen.step <= finding.step).sum()))
    return float(seen.learning_rate[:until].max()), float(seen.learning_rate[-1])
