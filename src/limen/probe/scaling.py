"""What a gradient scaler did to a loss: the account is of the loss and the gradients without it."""

from __future__ import annotations

import weakref

from torch import Tensor

from limen.kernels import Fetched

__all__ = ["Scaling"]


class Scaling:
    """A loss that a gradient scaler has enlarged.

    Attributes:
        loss: what it was before, without its graph.
        factor: how many times larger it is now, and every gradient of the pass from it.
    """

    def __init__(self, loss: Tensor, enlarged: Tensor, factor: Tensor) -> None:
        self.loss = loss.detach()
        self.factor = Fetched(factor.clone())  # the scaler changes its own in place
        self._enlarged = weakref.ref(enlarged)

    def concerns(self, loss: Tensor | None) -> bool:
        """Whether this is what the scaler made."""
        return loss is not None and self._enlarged() is loss
