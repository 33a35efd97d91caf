"""What the package torchdiag says of a trained model, where it is installed: ``make bench-peers`` installs it."""

from __future__ import annotations

import contextlib
import importlib
import io

from torch import Tensor, nn

__all__ = ["said_by_torchdiag"]


def said_by_torchdiag(model: nn.Module, inputs: Tensor) -> tuple[str, ...] | None:
    """The issues that its two checks of a model report, without their numbers; None where it is not installed."""
    try:
        torchdiag = importlib.import_module("torchdiag")
    except ImportError:
        return None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        torchdiag.check_gradients(model)
        torchdiag.check_dead_neurons(model, inputs)
    issues = [line.partition(":")[2].strip() for line in printed.getvalue().splitlines() if "•" in line]
    kinds = {"exploding": "exploding", "vanishing": "vanishing", "None": "no gradient", "dead": "dead"}
    return tuple(sorted({kind for word, kind in kinds.items() if any(word in issue for issue in issues)}))
