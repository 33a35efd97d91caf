"""What is seen: one file for each symptom, pure functions from vitals to findings."""

from limen.findings.rules.collapsed_representation import collapsed_representation
from limen.findings.rules.dead_units import dead_units
from limen.findings.rules.diverging_loss import diverging_loss
from limen.findings.rules.dying_units import dying_units
from limen.findings.rules.exploding_activations import exploding_activations
from limen.findings.rules.exploding_gradient import exploding_gradient
from limen.findings.rules.non_finite import non_finite
from limen.findings.rules.not_learning import not_learning
from limen.findings.rules.oscillating_loss import oscillating_loss
from limen.findings.rules.registry import RULES, Rule, rule
from limen.findings.rules.saturated_units import saturated_units
from limen.findings.rules.slow_learning import slow_learning
from limen.findings.rules.vanishing_gradient import vanishing_gradient

__all__ = [
    "RULES",
    "Rule",
    "collapsed_representation",
    "dead_units",
    "diverging_loss",
    "dying_units",
    "exploding_activations",
    "exploding_gradient",
    "non_finite",
    "not_learning",
    "oscillating_loss",
    "rule",
    "saturated_units",
    "slow_learning",
    "vanishing_gradient",
]
