"""What is looked for: one file for each check, pure functions from a flight to findings."""

from limen.preflight.rules.dead_from_start import dead_from_start
from limen.preflight.rules.learning_rate_too_high import learning_rate_too_high
from limen.preflight.rules.missing_activation import missing_activation
from limen.preflight.rules.no_gradient_path import no_gradient_path
from limen.preflight.rules.normalisation_misuse import normalisation_misuse
from limen.preflight.rules.output_loss_mismatch import output_loss_mismatch
from limen.preflight.rules.registry import CHECKS, Check, check
from limen.preflight.rules.scale import too_deep, unfit_scale
from limen.preflight.rules.symmetry import equal_weights
from limen.preflight.rules.unbounded_recurrence import unbounded_recurrence
from limen.preflight.rules.unscaled import unscaled_inputs, unscaled_targets
from limen.preflight.rules.wrong_activation import repeated_activation

__all__ = [
    "CHECKS",
    "Check",
    "check",
    "dead_from_start",
    "equal_weights",
    "learning_rate_too_high",
    "missing_activation",
    "no_gradient_path",
    "normalisation_misuse",
    "output_loss_mismatch",
    "repeated_activation",
    "too_deep",
    "unbounded_recurrence",
    "unfit_scale",
    "unscaled_inputs",
    "unscaled_targets",
]
