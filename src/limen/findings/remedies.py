"""What to do: a page for each remedy, and which of them answer a finding."""

from limen.findings.finding import Cause, Finding
from limen.findings.output_fit import CLIMB, MISFIT, RAW_SCORES
from limen.findings.sameness import SAMENESS
from limen.vitals import Vitals

__all__ = ["PAGES", "fitting", "remedies_for"]

PAGES: dict[str, str] = {
    "swap-activation": (
        "Use an activation whose slope does not vanish where the units are: leaky_relu, elu or gelu for dead ReLU "
        "units; a member of the ReLU family for hidden sigmoid or tanh. Begin the training again, or expect a short "
        "set-back: the layers after it were fitted to the old outputs."
    ),
    "reinitialise": (
        "Draw the weights again at the scale that suits the activation: He (sqrt(2/fan_in)) for the ReLU family, "
        "Xavier with gain 5/3 for tanh, lecun-normal for SELU, and biases at zero. Check the first window of the new "
        "run: about half of a ReLU layer's samples are inactive when the scale is right."
    ),
    "revive-units": (
        "Draw the incoming weights of the dead units again from the layer's own initialisation, set their outgoing "
        "weights to zero and reset the optimiser's state for those entries. The function of the network stays what "
        "it is at that moment, and the units can be used again. Lower the learning rate first if it killed them, or "
        "they will die again."
    ),
    "lower-learning-rate": (
        "Set the learning rate that the finding proposes, or a tenth of the present one where there is none; or warm "
        "it up over the first few hundred steps. A weight should move by about a thousandth of its norm in a step; "
        "above a tenth it is replaced, not adjusted."
    ),
    "raise-learning-rate": (
        "Multiply the learning rate by ten until a weight moves by about a thousandth of its norm in a step, and "
        "check that the schedule has not taken it to zero."
    ),
    "add-normalisation": (
        "Put BatchNorm or LayerNorm between the layer and its activation. It sets the scale of the pre-activations "
        "at every step, so that neither the initialisation nor the input's scale can push the units out."
    ),
    "clip-gradients": (
        "Call torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) between backward and step. It bounds the harm "
        "of single steps; it does not mend what makes the gradients large."
    ),
    "scale-inputs": (
        "Subtract the mean of the training data and divide by its standard deviation, per feature or channel, with "
        "the same figures at training and at use. Pixels of 0 to 255 become about -2 to 2."
    ),
    "scale-targets": (
        "Standardise regression targets as you do inputs, and undo it on the predictions. A loss in the millions "
        "makes gradients to match."
    ),
    "fix-output-head": (
        "Let the last layer give what the loss expects: raw scores for cross-entropy and bce-with-logits, "
        "probabilities for bce, unbounded values for mse on unbounded targets."
    ),
    "fix-loss": (
        "Use the loss that takes raw scores (cross_entropy, binary_cross_entropy_with_logits) in place of a logarithm "
        "of a probability, and keep arguments of log, sqrt and division away from zero. Check its sign: what is "
        "minimised has to be smallest where the network is right."
    ),
    "fix-training-loop": (
        "Each step: optimizer.zero_grad(), forward, loss.backward(), optimizer.step(). Check that every trained "
        "parameter is in the optimiser and that no tensor on the way was detached."
    ),
    "add-activation": (
        "Put an activation between two linear layers that follow each other; without one they are one linear layer."
    ),
    "change-optimiser": (
        "Use Adam or AdamW: each entry's step is scaled by its own gradient history, so that layers with a small "
        "gradient move as well. This treats the pace, not the lost signal."
    ),
    "reduce-dropout": (
        "Lower the dropout probability, to 0.1 or 0.2 in hidden layers, and none before the last layer; at 0.5 and "
        "more in every layer little of the signal is left."
    ),
    "remove-activation": (
        "Take one of the two activations that follow each other away, the one that does not belong: nn.Identity in its "
        "place keeps the names of the other layers."
    ),
    "avoid-in-place": (
        "Let the operation make a new tensor: inplace=False, relu in place of relu_, x = x + y in place of x += y. The "
        "backward pass needs what it overwrites."
    ),
    "fix-normalisation": (
        "Let a batch normalisation see 16 samples or more; or use nn.GroupNorm or nn.LayerNorm, which take no "
        "mean over the batch. Put dropout behind the last batch normalisation, or lower its probability to 0.2; use "
        "nn.AlphaDropout with SELU."
    ),
}
"""The manual page of each remedy."""

_BY_CAUSE: dict[str, tuple[str, ...]] = {
    "learning-rate-too-high": ("lower-learning-rate", "clip-gradients"),
    "learning-rate-too-low": ("raise-learning-rate", "change-optimiser"),
    "bad-initialisation": ("reinitialise", "add-normalisation"),
    "bad-bias": ("reinitialise", "revive-units"),
    "saturating-activation": ("swap-activation", "add-normalisation"),
    "wrong-activation": ("swap-activation",),
    "missing-activation": ("add-activation",),
    "output-loss-mismatch": ("fix-output-head", "fix-loss"),
    "unscaled-inputs": ("scale-inputs", "add-normalisation"),
    "unscaled-targets": ("scale-targets",),
    "missing-zero-grad": ("fix-training-loop",),
    "no-gradient-path": ("fix-training-loop",),
    "too-deep-without-normalisation": ("add-normalisation", "reinitialise"),
    "unbounded-recurrence": ("swap-activation", "clip-gradients", "reinitialise"),
    "loss-numerics": ("fix-loss",),
    "excess-dropout": ("reduce-dropout",),
    "normalisation-misuse": ("fix-normalisation",),
    "dead-from-start": ("reinitialise", "revive-units"),
}

_BY_SYMPTOM: dict[str, tuple[str, ...]] = {
    "dead-units": ("revive-units", "swap-activation"),
    "dying-units": ("lower-learning-rate", "revive-units", "swap-activation"),
    "saturated-units": ("add-normalisation", "swap-activation"),
    "collapsed-representation": ("reinitialise",),
    "vanishing-gradient": ("swap-activation", "add-normalisation", "reinitialise", "change-optimiser"),
    "exploding-gradient": ("lower-learning-rate", "clip-gradients"),
    "exploding-activations": ("reinitialise", "add-normalisation"),
    "diverging-loss": ("lower-learning-rate", "clip-gradients"),
    "non-finite": ("lower-learning-rate", "clip-gradients", "fix-loss"),
    "not-learning": ("lower-learning-rate", "fix-training-loop"),
    "oscillating-loss": ("lower-learning-rate", "clip-gradients"),
    "slow-learning": ("raise-learning-rate", "fix-loss"),
}


def remedies_for(symptom: str | None, causes: tuple[Cause, ...], *, adaptive: bool = False) -> tuple[str, ...]:
    """Remedies of the causes, the likeliest first, then those of the symptom; each once.

    After large steps the learning rate comes first, or revived units would die again; reviving them is the repair. A
    loss that does not fall says nothing about what to do: its own remedies are guesses, for where no cause is known.
    Where all optimisers are ``adaptive``, there is none to change to.
    """
    first: tuple[str, ...] = ()
    if symptom == "dead-units" and causes and causes[0].name == "learning-rate-too-high":
        first = ("lower-learning-rate", "revive-units")
    by_cause = [name for cause in causes for name in _BY_CAUSE.get(cause.name, ())]
    guess = () if symptom in ("not-learning", "slow-learning") and by_cause else _BY_SYMPTOM.get(symptom or "", ())
    named = dict.fromkeys((*first, *by_cause, *guess))
    return tuple(name for name in named if not (adaptive and name == "change-optimiser"))


def fitting(remedies: tuple[str, ...], finding: Finding, vitals: Vitals) -> tuple[str, ...]:
    """Of ``remedies``, those that can mend this case: a cause may have several forms, and a remedy answer one of them.

    Args:
        remedies: As ``remedies_for`` returns them.
        finding: What is to be mended.
        vitals: What was seen.
    """
    if finding.symptom is not None:
        return remedies
    idle: set[str] = set()
    if finding.unit == CLIMB:  # nothing is wrong with the output
        idle = {"fix-output-head"}
    elif finding.unit == MISFIT and vitals.losses and all(one.function in RAW_SCORES for one in vitals.losses):
        idle = {"fix-loss"}  # the loss takes raw scores already
    elif finding.unit == SAMENESS:  # a normalisation leaves equal units equal
        idle = {"add-normalisation"}
    return tuple(one for one in remedies if one not in idle)
