"""Whether gradients are cleared between two steps of an optimiser."""

from __future__ import annotations

import weakref
from collections import Counter

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from limen.kernels import Fetched, is_capturing
from limen.probe.backlog import Backlog
from limen.probe.modes import is_ordinary, unseen
from limen.probe.parameter_record import sample

__all__ = ["Clearing"]

PLAIN = (Tensor, nn.Parameter, type(None))


class Clearing:
    """Counts steps of optimisers whose gradients still held what an earlier step of the same had used already.

    After a step, the gradients of some of its parameters are marked: where each lies, and how often it was written to.
    One that is still there when a backward pass begins, not written to since and not zero, was not cleared. Where the
    pass adds to it, and nothing clears it before further passes, the next step uses what this one has used.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._marks: dict[int, list[Mark]] = {}  # by number of the optimiser
        self._uncleared = Counter[int]()
        self._clear: set[int] = set()  # optimisers whose gradients were gone when the last pass began

    def before_backward(self) -> None:
        """Take the marks off that were cleared, or changed by the script."""
        if not self._marks:
            return
        if not is_ordinary():
            self.forget()
            return
        with unseen(), torch.no_grad():
            self._clear = {number for number in self._marks if self._is_clear(number)}
            self._marks = {number: [one for one in marks if one.holds()] for number, marks in self._marks.items()}

    def after_backward(self) -> None:
        """Take note of what the pass has added to."""
        for marks in self._marks.values():
            for mark in marks:
                mark.follow()

    def after_update(self, number: int, optimiser: Optimizer, *, counts: bool) -> None:
        """Mark what a step used, which is one of those that are counted or not."""
        used = next((mark for mark in self._marks.get(number, ()) if mark.added), None)
        if used is not None and counts:
            self._backlog.do(lambda: self._count(number, used.flags), used.flags[-1] if used.flags else None)
        self._marks[number] = [mark for tensor in some_of(optimiser) if (mark := Mark.of(tensor)) is not None]

    def was_clear(self, number: int) -> bool:
        """Whether the gradients of an optimiser were gone when the last pass began of which this was told."""
        return number in self._clear

    def marked(self, number: int) -> list[weakref.ref[Tensor]] | None:
        """The marked parameters of an optimiser; None where one is of a class of the script, which might listen."""
        marked = [mark.tensor for mark in self._marks.get(number, ())]
        return marked if all(type(tensor()) in PLAIN for tensor in marked) else None

    def forget(self) -> None:
        """Something may have been cleared unseen."""
        self._marks.clear()

    def uncleared(self, number: int) -> int:
        """How many steps of an optimiser used gradients of earlier ones."""
        return self._uncleared[number]

    def _is_clear(self, number: int) -> bool:
        """Whether the gradients are gone that the last step used."""
        tensors = [mark.tensor() for mark in self._marks[number]]
        return all(tensor is None or tensor.grad is None for tensor in tensors)

    def _count(self, number: int, flags: list[Fetched]) -> None:
        self._uncleared[number] += all(float(flag.numbers()) for flag in flags)


class Mark:
    """The gradient of one parameter as it was left.

    Attributes:
        tensor: the parameter.
        added: a backward pass has added to it since.
        flags: on their way from a device, whether it was other than zero before each of these passes.
    """

    def __init__(self, tensor: Tensor, address: int, version: int) -> None:
        self.added = False
        self.flags: list[Fetched] = []
        self.tensor = weakref.ref(tensor)
        self._address = address
        self._version = version

    @classmethod
    def of(cls, tensor: Tensor) -> Mark | None:
        """A mark on the gradient of a parameter; None where there is none that is plain."""
        gradient = plain(tensor.grad)
        return None if gradient is None else cls(tensor, gradient.data_ptr(), gradient._version)

    def holds(self) -> bool:
        """Whether the gradient is what it was, and other than zero (where a device must tell, that comes later)."""
        gradient = self._gradient()
        if gradient is None or gradient._version != self._version or is_capturing(gradient):
            return False
        other = sample(gradient).any()
        if not is_at_hand(other):
            self.flags.append(Fetched(other))
            return True
        return bool(other)

    def follow(self) -> None:
        """Go on with the gradient as a backward pass has left it."""
        gradient = self._gradient()
        if gradient is not None and gradient._version != self._version:
            self.added, self._version = True, gradient._version

    def _gradient(self) -> Tensor | None:
        tensor = self.tensor()
        gradient = None if tensor is None else plain(tensor.grad)
        return gradient if gradient is not None and gradient.data_ptr() == self._address else None


def plain(gradient: Tensor | None) -> Tensor | None:
    """A gradient that counts how often it is written to, and whose numbers lie in one place."""
    if type(gradient) is not Tensor or gradient.layout is not torch.strided or gradient.is_inference():
        return None
    return gradient


def is_at_hand(tensor: Tensor) -> bool:
    """Whether a number can be read without waiting for a device."""
    return tensor.is_cpu


def some_of(optimiser: Optimizer) -> list[Tensor]:
    """The first, a middle and the last of what an optimiser moves, each once."""
    groups = [group["params"] for group in optimiser.param_groups if group["params"]]
    if not groups:
        return []
    middle = groups[len(groups) // 2]
    chosen = (groups[0][0], middle[len(middle) // 2], groups[-1][-1])
    return list({id(tensor): tensor for tensor in chosen}.values())
