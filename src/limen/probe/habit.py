"""What the modules of a training do at each step: where that is all there is to see, one hook is enough to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from limen.activations import Activation
from limen.probe.modes import unless_compiling, unseen
from limen.probe.quick import COMPILED, Follower, Glance, Role

__all__ = ["Habit"]

HOOK = 3e-6  # seconds for a call that the follower hears of: 1 µs with all of it in the caches, 8 with nothing
LEARNT = 50  # steps seen in full before there is a habit
SHORTEST, LONGEST = 7, 31  # steps that it is followed before one is seen in full again, at first and later
SHARE = 32  # steps seen in all for each such step: what is new is seen late by a small part of a training only


class Habit:
    """The roles of modules, learnt at steps that are seen in full.

    A habit forms where every activation was applied by a module, to what that was called with, and a glance was enough
    to read it. It ends with a step that had more or fewer of them, a module that was not there, or anything else that
    is new.

    Args:
        on_root: see ``Follower``, as for ``on_unusual``.

    Attributes:
        follower: goes by the roles; None without the quick way, and then no habit ever forms.
        looks: steps seen so far, in full or by the roles.
        usual: activations in a step.
        hook: before every module, while the habit is followed; None without one.
    """

    def __init__(
        self,
        on_root: Callable[[nn.Module, tuple[Any, ...]], None],
        on_unusual: Callable[[Activation, Tensor, nn.Module, int], None],
    ) -> None:
        self._roles: dict[int, Role] = {}
        self.follower = Follower(self._roles, on_root, on_unusual) if COMPILED else None
        self.hook = None if self.follower is None else unless_compiling(self.follower.enter)
        self._learns, self._keeps = True, False
        self._learnt = self._followed = 0  # steps seen in full, and steps since the last of them
        self.looks = 0  # steps seen in all
        self.usual = self._seen = 0
        self._is_broken = False
        self._entered = self._given = self._version = 0  # ids of the module called last and of its first argument

    def lasts(self, steps: int) -> bool:
        """Whether there is one, and so many steps, the next at least, may go by it before one is seen in full."""
        return self._keeps and self._learnt >= LEARNT and self._followed + max(1, steps) <= self._longest

    @property
    def _longest(self) -> int:
        return min(max(SHORTEST, self.looks // SHARE), LONGEST)

    @property
    def left(self) -> int:
        """How many steps more may go by it."""
        return self._longest - self._followed

    def open_step(self, *, learns: bool) -> None:
        """Begin with a step; ``learns`` where it is seen in full."""
        self.looks += 1
        self._learns, self._seen, self._is_broken = learns, 0, False
        if learns:
            self._roles.clear()
            self._learnt, self._followed = self._learnt + 1, 0
        elif self.follower is not None:
            self._followed += 1
            self.follower.seen, self.follower.is_broken = 0, False

    def close_step(self) -> None:
        """Judge the step."""
        if self._learns:
            self.usual = self._seen
        elif self.follower is not None:
            self._seen, self._is_broken = self.follower.seen, self._is_broken or self.follower.is_broken
        self._keeps = not self._is_broken and 0 < self._seen == self.usual

    def goes_on(self) -> bool:
        """Follow another step; False, and nothing done, if the last one ended the habit or the next is seen in full."""
        follower = self.follower
        if follower is None or self._is_broken or follower.is_broken or follower.seen != self.usual:
            return False
        if self.left <= 0:
            return False
        self.count(1)
        follower.seen = 0
        return True

    def count(self, steps: int) -> None:
        """Count steps that were followed."""
        self._followed, self.looks = self._followed + steps, self.looks + steps

    def tell_follower(self, *, is_open: bool, is_listening: bool, thread: int) -> None:
        """Whether it hears at all, whether it looks at what modules are given, and in which thread."""
        follower = self.follower
        if follower is not None:
            follower.is_open, follower.is_listening, follower.thread = is_open, is_listening, thread

    def take_cost(self) -> float:
        """Seconds that the follower has taken since the last time, about; glances count their own."""
        follower = self.follower
        if follower is None:
            return 0.0
        cost = follower.calls * HOOK + follower.cost
        follower.calls, follower.cost = 0, 0.0
        return cost

    def enter(self, module: nn.Module, args: tuple[Any, ...], *, is_root: bool) -> None:
        """Learn of a call."""
        if self.follower is None:
            return
        role = self._roles.get(id(module))
        if role is None:
            role = self._roles[id(module)] = Role(module, is_root=is_root)
        elif role.is_root != is_root or role.training != module.training:
            self.end()
        self._entered, self._given = id(module), id(args[0]) if args else 0
        self._version = version_of(args[0]) if args else 0

    def apply(self, owner: nn.Module | None, activation: Activation, z: Tensor, glance: Glance) -> None:
        """Learn of an activation that a glance was enough for."""
        self._seen += 1
        role = self._roles.get(id(owner)) if self._learns else None
        is_first_argument = (self._entered, self._given, self._version) == (id(owner), id(z), version_of(z))
        if role is None or not is_first_argument or activation.name != (role.activation or activation).name:
            self.end()
            return
        role.activation = activation
        role.glances.append(glance)

    def end(self) -> None:
        """The step goes otherwise: the next one is to be seen in full."""
        self._is_broken = True
        if self.follower is not None:
            self.follower.is_broken = True


def version_of(argument: object) -> int:
    """How often a tensor has been changed in place; 0 for anything else."""
    with unseen():
        return argument._version if type(argument) is Tensor and not argument.is_inference() else 0
