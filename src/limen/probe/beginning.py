"""What a backward pass begins at: a loss, several of them, or a tensor of losses that were never added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from limen.anatomy import Reading, loss_function, reading_of
from limen.probe.modes import unseen

__all__ = ["Beginning"]


class Beginning(NamedTuple):
    """The tensors that ``backward`` was called on.

    Attributes:
        roots: at least one.
        factors: the gradient that ``backward`` was given for each; None for 1.
    """

    roots: Sequence[Tensor]
    factors: Sequence[Tensor | None]

    @classmethod
    def of(cls, arguments: Sequence[Any], named: Mapping[str, Any]) -> Beginning | None:
        """From the arguments of ``Tensor.backward`` or ``torch.autograd.backward``; None for anything else."""
        first = arguments[0] if arguments else named.get("self", named.get("tensors", named.get("outputs")))
        second = arguments[1] if len(arguments) > 1 else named.get("gradient", named.get("grad_tensors"))
        roots = tuple(first) if isinstance(first, list | tuple) else (first,)
        factors = tuple(second) if isinstance(second, list | tuple) else (second,)
        with unseen():
            known = all(isinstance(root, Tensor) and not root.is_meta for root in roots)
            return cls(roots, factors if len(factors) == len(roots) else (None,) * len(roots)) if known else None

    @property
    def is_loss(self) -> bool:
        """Whether it is a single number."""
        return len(self.roots) == 1 and self.roots[0].numel() == 1

    @property
    def function(self) -> str:
        """The loss function; ``other`` for several."""
        return loss_function(self.roots[0]) if len(self.roots) == 1 else "other"

    @property
    def reading(self) -> Reading:
        """The loss function and what was put into it; ``other`` for several."""
        return reading_of(self.roots[0]) if len(self.roots) == 1 else Reading("other")

    @property
    def words(self) -> str:
        """What the loss is taken to be, where that is not plain; empty where it is."""
        if self.is_loss:
            return ""
        if len(self.roots) > 1:
            return f"Backward passes begin at {len(self.roots)} tensors at once: the loss is the sum of their means."
        return f"Backward passes begin at {self.roots[0].numel():,} numbers at once: the loss is their mean."

    @torch.no_grad()
    def loss(self) -> Tensor:
        """The loss: of several tensors the sum of their means, with the sign that ``backward`` was given.

        Returns:
            One number; two where the device alone can tell whether it is a loss, the second of them 1 if it is. A
            tensor is none where its entries are given different gradients, as at the seam of a model in parts.
        """
        if self.is_loss:
            return self.roots[0].detach() if self.roots[0].ndim == 0 else self.roots[0].detach().reshape(())
        means = [root.detach().mean() for root in self.roots]
        pairs = [
            (mean, None if factor is None or factor.numel() == 1 else factor.detach())
            for mean, factor in zip(means, self.factors, strict=True)
        ]
        total = torch.stack([mean if factor is None else mean * factor.flatten()[0].sign() for mean, factor in pairs])
        even = [factor.amin() == factor.amax() for _, factor in pairs if factor is not None]
        is_loss = torch.stack(even).all() if even else torch.ones((), dtype=torch.bool, device=total.device)
        return torch.stack([total.sum(), is_loss.to(total.dtype)])
