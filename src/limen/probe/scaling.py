"""What a gradient scaler did to a loss: the account is of the loss and the gradients without it."""

from __future__ import annotations

import torch
from torch import Tensor

from limen.anatomy import leads_back_to, number_of
from limen.kernels import Fetched
from limen.probe.beginning import Beginning

__all__ = ["Scaling", "Scalings"]

MOST = 256  # losses that are scaled and not followed by a backward pass; the oldest are forgotten


class Scaling:
    """A loss that a gradient scaler has enlarged.

    Attributes:
        factor: how many times larger it is now, and every gradient of a pass from what is computed of it.
    """

    def __init__(self, loss: Tensor, number: int, factor: Tensor) -> None:
        self._loss, self._number = loss.detach(), number
        self._scale = factor.clone()  # the scaler changes its own in place
        self.factor = Fetched(self._scale)

    @torch.no_grad()
    def undone(self, beginning: Beginning) -> Tensor:
        """The loss of a pass that begins at the enlarged one, or at what was computed of it, without the enlargement.

        Returns:
            As ``Beginning.loss`` does.
        """
        root = beginning.roots[0]
        if beginning.is_loss and number_of(root.grad_fn) == self._number:
            return self._loss
        loss = beginning.loss()
        loss = loss.clone() if loss.dtype.itemsize >= 4 else loss.float()
        first = loss if loss.ndim == 0 else loss[:1]
        first /= self._scale.to(loss.device)
        return loss


class Scalings:
    """The losses that were enlarged since the last backward pass."""

    def __init__(self) -> None:
        self._recent: dict[int, Scaling] = {}  # by number of the graph node of what was made

    def __bool__(self) -> bool:
        return bool(self._recent)

    def add(self, loss: Tensor, enlarged: Tensor, factor: Tensor) -> None:
        """Enter one."""
        number = number_of(enlarged.grad_fn)
        if number is not None:
            self._recent[number] = Scaling(loss, number, factor)
            if len(self._recent) > MOST:
                del self._recent[next(iter(self._recent))]

    def take(self, beginning: Beginning | None) -> Scaling | None:
        """What was done to the loss of a pass that begins; all others are forgotten."""
        recent, self._recent = self._recent, {}
        if beginning is None or not recent:
            return None
        number = leads_back_to(beginning.roots, recent.keys())
        return None if number is None else recent[number]
