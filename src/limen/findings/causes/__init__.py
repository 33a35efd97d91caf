"""Why it happens: one file for each cause, with one pure function of its name, or two.

``@cause`` looks for evidence of it behind a symptom, ``@fact`` sees it by itself; of two in a file the latter is called
``<cause>_seen``, and the page is the docstring of the other.
"""

from limen.findings.causes.bad_bias import bad_bias
from limen.findings.causes.bad_initialisation import bad_initialisation
from limen.findings.causes.dead_from_start import dead_from_start
from limen.findings.causes.excess_dropout import excess_dropout
from limen.findings.causes.learning_rate_too_high import learning_rate_too_high
from limen.findings.causes.learning_rate_too_low import learning_rate_too_low
from limen.findings.causes.loss_numerics import loss_numerics
from limen.findings.causes.missing_activation import missing_activation
from limen.findings.causes.missing_zero_grad import missing_zero_grad
from limen.findings.causes.no_gradient_path import no_gradient_path
from limen.findings.causes.normalisation_misuse import normalisation_misuse
from limen.findings.causes.output_loss_mismatch import output_loss_mismatch
from limen.findings.causes.registry import EXPLANATIONS, FACTS, Explanation, Fact, cause, fact, ranked, sights
from limen.findings.causes.saturating_activation import saturating_activation
from limen.findings.causes.too_deep_without_normalisation import too_deep_without_normalisation
from limen.findings.causes.unbounded_recurrence import unbounded_recurrence
from limen.findings.causes.unscaled_inputs import unscaled_inputs
from limen.findings.causes.unscaled_targets import unscaled_targets
from limen.findings.causes.wrong_activation import wrong_activation

__all__ = [
    "EXPLANATIONS",
    "FACTS",
    "Explanation",
    "Fact",
    "bad_bias",
    "bad_initialisation",
    "cause",
    "dead_from_start",
    "excess_dropout",
    "fact",
    "learning_rate_too_high",
    "learning_rate_too_low",
    "loss_numerics",
    "missing_activation",
    "missing_zero_grad",
    "no_gradient_path",
    "normalisation_misuse",
    "output_loss_mismatch",
    "ranked",
    "saturating_activation",
    "sights",
    "too_deep_without_normalisation",
    "unbounded_recurrence",
    "unscaled_inputs",
    "unscaled_targets",
    "wrong_activation",
]
