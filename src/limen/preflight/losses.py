"""Which loss is used, and what it was given."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import nn

from limen.anatomy.tape import Operation, Tape, Value
from limen.errors import InvalidValue, UnknownName

__all__ = ["LOSSES", "Loss", "LossCall", "calls_in", "function_of", "kind_of"]

Loss = Callable[..., Any] | str
"""A callable of output and target, or the name of one of ``LOSSES``."""


def _bare(name: str) -> str:
    """Letters and figures alone, so that a name is found however it is written."""
    return re.sub(r"[\W_]+", "", name).lower()


LOSSES: dict[str, Callable[..., Any]] = {
    "cross-entropy": F.cross_entropy,
    "nll": F.nll_loss,
    "bce": F.binary_cross_entropy,
    "bce-with-logits": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "smooth-l1": F.smooth_l1_loss,
    "huber": F.huber_loss,
    "kl-div": F.kl_div,
}
"""The losses whose needs are known, by the name they have in findings."""

_BY_CALL = {function.__name__: kind for kind, function in LOSSES.items()}
_BY_CLASS = {
    nn.CrossEntropyLoss: "cross-entropy",
    nn.NLLLoss: "nll",
    nn.BCELoss: "bce",
    nn.BCEWithLogitsLoss: "bce-with-logits",
    nn.MSELoss: "mse",
    nn.L1Loss: "l1",
    nn.SmoothL1Loss: "smooth-l1",
    nn.HuberLoss: "huber",
    nn.KLDivLoss: "kl-div",
}
_BY_NAME = {
    "ce": "cross-entropy",
    **{_bare(kind): kind for kind in LOSSES},
    **{_bare(called): kind for called, kind in _BY_CALL.items()},
    **{_bare(known.__name__): kind for known, kind in _BY_CLASS.items()},
}
"""Kinds by all their names: their own, the function's and the module's."""


@dataclass(frozen=True, eq=False)
class LossCall:
    """One loss of a forward pass.

    Attributes:
        kind: one of ``LOSSES``.
        called: what torch calls the function, for instance ``cross_entropy``.
        prediction: what it was given, or would be given.
        target: what that is compared with; None where it is not known.
        path: dotted path of the module that calls it; empty where it is called outside of the model.
    """

    kind: str
    called: str
    prediction: Value
    target: Value | None
    path: str = ""


def function_of(loss: Any) -> Callable[..., Any] | None:
    """The callable that is meant.

    Raises:
        UnknownName: no loss bears the name (also a ``KeyError``).
        InvalidValue: it is neither a name nor callable (also a ``ValueError``).
    """
    if isinstance(loss, type):
        raise InvalidValue(
            f"preflight(loss={loss.__name__}): this is the class. Give an object of it: {loss.__name__}()."
        )
    if loss is None or callable(loss):
        return loss
    if not isinstance(loss, str):
        raise InvalidValue(
            f"preflight(loss={loss!r}): expected a callable of output and target, such as nn.CrossEntropyLoss(), or a "
            f"name: {', '.join(LOSSES)}."
        )
    kind = _BY_NAME.get(_bare(loss.removeprefix("nn.")))
    if kind is None:
        raise UnknownName.of("loss", loss, LOSSES)
    return LOSSES[kind]


def kind_of(loss: Callable[..., Any] | None) -> str | None:
    """The kind of a loss module or function; None for one of the user's own."""
    if isinstance(loss, nn.Module):
        return next((kind for known, kind in _BY_CLASS.items() if isinstance(loss, known)), None)
    if loss is None or not inspect.isfunction(loss):
        return None
    return next((kind for kind, known in LOSSES.items() if known is loss), None)


def calls_in(tape: Tape) -> tuple[LossCall, ...]:
    """The known losses among the operations of a tape, in their order."""
    return tuple(call for operation in tape.operations if (call := call_of(operation)) is not None)


def call_of(operation: Operation) -> LossCall | None:
    """The loss that an operation is, or None."""
    kind = _BY_CALL.get(operation.name)
    prediction, target = operation.argument("input"), operation.argument("target")
    if kind is None or not isinstance(prediction, Value):
        return None
    return LossCall(kind, operation.name, prediction, target if isinstance(target, Value) else None, operation.path)
