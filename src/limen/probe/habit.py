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
BETWEEN = ("_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "forward")
SHARE = 32  # steps seen in all for each such step: what is new is seen late by a small part of a training only


class Habit:
    """The roles of modules, learnt at steps that are seen in full.

    The role of a module that is not called at such a step stays what it was. A habit forms where every activation was
    applied by a module, to what that was called with, and a glance was enough to read it. It ends with a step that had
    more or fewer of them, a module that was not there, or anything else that is new.

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
        on_unusual: Callable[[Activation, Tensor, nn.Module, int], bool],
    ) -> None:
        self._roles: dict[int, Role] = {}
        self._met = set[int]()  # modules of this step, while it is learnt
        self._is_mixed = False  # the script itself calls what its modules call, too: what was is no guide
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
            self._met.clear()
            for key in [key for key, role in self._roles.items() if self._is_mixed or role.module() is None]:
                del self._roles[key]
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

    def has_read(self) -> bool:
        """Whether anything was read at a glance since the last time."""
        follower = self.follower
        has_read = follower is not None and follower.has_read
        if has_read and follower is not None:
            follower.has_read = False
        return has_read

    def count_anew(self) -> None:
        """The next call of each module is the first."""
        if self.follower is not None:
            self.follower.passes += 1

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
        if role is not None and role.is_root != is_root and role.module() is module:
            self._is_mixed = True
            self.end()
        if role is None or id(module) not in self._met:
            self._met.add(id(module))
            self._roles[id(module)] = Role(module, is_root=is_root)
        elif role.training != module.training:
            self.end()
        self._entered, self._given = id(module), id(args[0]) if args else 0
        self._version = version_of(args[0]) if args else 0

    def apply(self, owner: nn.Module | None, activation: Activation, z: Tensor, glance: Glance, call: int) -> None:
        """Learn of an activation that a glance was enough for: which call of a forward pass it is, from 1."""
        self._seen += 1
        role = self._role_of(owner, activation, z)
        if role is None or call > len(role.glances) + 1:
            self.end()
            return
        role.activation = activation
        role.glances[call - 1 : call] = [glance]

    def meet(self, owner: nn.Module | None, activation: Activation, z: Tensor) -> None:
        """Learn of an activation, be it that it cannot be read now, or not at a glance."""
        if (role := self._role_of(owner, activation, z)) is not None:
            role.activation = activation

    def _role_of(self, owner: nn.Module | None, activation: Activation, z: Tensor) -> Role | None:
        """The role of a module that applies this to what it was called with, and nothing else."""
        role = self._roles.get(id(owner)) if self._learns else None
        if role is None or activation.name != (role.activation or activation).name or not is_bare(owner):
            return None
        is_first_argument = (self._entered, self._given, self._version) == (id(owner), id(z), version_of(z))
        return role if is_first_argument else None

    def end(self) -> None:
        """The step goes otherwise: the next one is to be seen in full."""
        self._is_broken = True
        if self.follower is not None:
            self.follower.is_broken = True


def is_bare(module: nn.Module | None) -> bool:
    """Whether no hooks of the script, and no other ``forward``, stand between a module and what it is called with."""
    own = {} if module is None else vars(module)
    return not any(own.get(name) for name in BETWEEN)


def version_of(argument: object) -> int:
    """How often a tensor has been changed in place; 0 for anything else."""
    with unseen():
        return argument._version if type(argument) is Tensor and not argument.is_inference() else 0
