"""Which function an output needs, and the loss that goes with it."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from limen.activations.exponential import Softplus
from limen.activations.heads import Exp, Softmax
from limen.activations.interface import Entry
from limen.activations.kinds import Head
from limen.activations.rectified import Identity
from limen.activations.scaled_tanh import ScaledTanh
from limen.activations.sigmoidal import Sigmoid
from limen.errors import InvalidValue, UnknownName

__all__ = ["OutputHead", "head_for", "tasks"]

Range = tuple[float, float]
ANY: Range = (-math.inf, math.inf)
ABOVE_ZERO: Range = (0.0, math.inf)


def log_rate_loss() -> nn.Module:
    """Poisson likelihood of counts, from the logarithm of the rate."""
    return nn.PoissonNLLLoss(log_input=True)


@dataclass(frozen=True)
class OutputHead:
    """What a network ends with for one kind of target.

    Attributes:
        task: what is predicted, one of ``tasks()``.
        entry: from the scores of the last linear layer to predictions.
        loss: makes the loss, a module; ``loss()`` is called with scores or predictions, and targets.
        from_scores: the loss takes the scores and applies ``entry`` itself, with all digits: the model that is trained
            must not apply it too.
        last_layer: how many units the last linear layer has, and what its biases should begin with.
        hazard: what goes wrong with another head or loss.
    """

    task: str
    entry: Entry | Head
    loss: Callable[[], nn.Module]
    from_scores: bool
    last_layer: str
    hazard: str

    def predict(self, scores: Tensor) -> Tensor:
        """Predictions for the scores of the last linear layer, ``[..., units]``."""
        return self.entry.f(scores)

    def module(self) -> nn.Module:
        """What stands behind the last linear layer while the model is trained: nothing where the loss takes scores."""
        return nn.Identity() if self.from_scores else Applied(self.entry)


class Applied(nn.Module):
    """A module that applies an entry of the catalogue."""

    def __init__(self, entry: Entry | Head) -> None:
        super().__init__()
        self._entry = entry

    @property
    def entry(self) -> Entry | Head:
        """What it applies."""
        return self._entry

    def forward(self, x: Tensor) -> Tensor:
        """The function of the entry."""
        return self._entry.f(x)

    def extra_repr(self) -> str:
        """The entry."""
        return repr(self._entry)


TASKS = {
    one.task: one
    for one in (
        OutputHead(
            "multi-class",
            Softmax(),
            nn.CrossEntropyLoss,
            True,
            "One unit for each class, small weights and biases 0: the first loss is log(classes).",
            "A softmax before the loss is a softmax twice: the loss of n classes stays above log(1 + (n - 1) / e). A "
            "squared error of a softmax has no gradient where the network is sure and wrong.",
        ),
        OutputHead(
            "binary",
            Sigmoid(),
            nn.BCEWithLogitsLoss,
            True,
            "One unit; a bias of log(p / (1 - p)) where a share p of the targets is 1.",
            "A sigmoid before torch.nn.BCELoss or a squared error has the gradient 0 at a wrong score of 20, where the "
            "loss from scores has 1. A softmax over one unit is 1 whatever is computed.",
        ),
        OutputHead(
            "multi-label",
            Sigmoid(),
            nn.BCEWithLogitsLoss,
            True,
            "One unit for each label; biases of log(p / (1 - p)) where a share p of the targets is 1.",
            "A softmax makes labels exclude each other. A sigmoid before torch.nn.BCELoss has the gradient 0 at a "
            "wrong score of 20.",
        ),
        OutputHead(
            "bounded",
            ScaledTanh(),
            nn.MSELoss,
            False,
            "One unit for each target, small weights and biases 0: predictions begin in the middle of the range.",
            "Targets outside the range are never reached, and those at its ends pull the scores without end: give a "
            "range a little wider than the targets. The slope is about 0 far out, so begin with small weights.",
        ),
        OutputHead(
            "positive",
            Softplus(),
            nn.MSELoss,
            False,
            "One unit for each target; biases of log(exp(m) - 1) with m the mean of the targets.",
            "A ReLU gives no gradient to what it has set to 0, and may be dead from the start; exp overflows in the "
            "first steps. Targets over several decades are better fitted as logarithms, by a linear head.",
        ),
        OutputHead(
            "count",
            Exp(),
            log_rate_loss,
            True,
            "One unit for each count, small weights; biases of log(m) with m the mean of the counts.",
            "With exp in the model and log_input=True the rate is exponentiated twice. A squared error of counts "
            "weighs large ones too much.",
        ),
        OutputHead(
            "regression",
            Identity(),
            nn.MSELoss,
            True,
            "One unit for each target; targets of mean 0 and variance 1, or biases of their mean.",
            "A bounded head never reaches targets outside its range, and a ReLU no negative ones. Outliers weigh by "
            "their square: torch.nn.HuberLoss takes them as they are.",
        ),
    )
}
BY_RANGE = ("bounded", "positive", "regression")
"""Tasks that a range of targets decides between."""


def tasks() -> tuple[str, ...]:
    """What ``head_for`` knows.

    >>> tasks()
    ('multi-class', 'binary', 'multi-label', 'bounded', 'positive', 'count', 'regression')
    """
    return tuple(TASKS)


def head_for(task: str, target_range: Range | None = None) -> OutputHead:
    """The function that an output needs, and the loss that goes with it.

    Args:
        task: one of ``tasks()``; case, spaces, hyphens and underscores do not matter. ``regression`` with a range is
            ``bounded``, ``positive`` or itself, as the range says.
        target_range: the lowest and highest target that may come, infinite where there is none. Needed for ``bounded``.

    Raises:
        UnknownName: no such task (also a ``KeyError``).
        InvalidValue: a range that is none or does not fit the task (also a ``ValueError``).

    >>> head_for("multi-class").loss()
    CrossEntropyLoss()
    >>> head_for("regression", (0, 10)).entry
    ScaledTanh(low=0.0, high=10.0)
    """
    meant = {_bare(one): one for one in TASKS}.get(_bare(task))
    if meant is None:
        raise UnknownName.of("task", task, TASKS)
    if target_range is None:
        if meant == "bounded":
            raise InvalidValue("head_for('bounded'): expected a target_range, for instance (-1.0, 1.0).")
        return TASKS[meant]
    refused, fits = f"head_for({meant!r}, target_range={target_range!r})", _fitting(*_checked(target_range))
    if meant == "count" and target_range[0] >= 0:
        return TASKS[meant]
    if meant not in BY_RANGE:
        why = "counts are not negative" if meant == "count" else "its targets are classes, which have no range"
        raise InvalidValue(f"{refused}: {why}.")
    if fits is None:
        way = "Mirror or shift the targets so that they begin at 0, and ask for 'positive'."
        raise InvalidValue(f"{refused}: no head ends on one side at another number than 0. {way}")
    if meant not in ("regression", fits):
        raise InvalidValue(f"{refused}: such targets are of the task {fits!r}. Ask for that, or for another range.")
    return replace(TASKS[fits], entry=ScaledTanh(*map(float, target_range))) if fits == "bounded" else TASKS[fits]


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _checked(target_range: Range) -> Range:
    """A range as two plain numbers, the first one below the second."""
    try:
        low, high = map(float, target_range)
    except (TypeError, ValueError):
        low = high = math.nan
    if not low < high:
        raise InvalidValue(
            f"head_for(target_range={target_range!r}): expected the lowest and the highest target, such as (0.0, 1.0)."
        )
    return low, high


def _fitting(low: float, high: float) -> str | None:
    """The regression whose head has this range."""
    if math.isfinite(low) and math.isfinite(high):
        return "bounded"
    return {ANY: "regression", ABOVE_ZERO: "positive"}.get((low, high))
