"""What the modules of a training do at each step: where that is all there is to see, one hook is enough to see it."""

from __future__ import annotations

import weakref
from typing import Any

from torch import Tensor, nn

from limen.activations import Activation

__all__ = ["Habit", "Role"]

LEARNT = 50  # steps seen in full before there is a habit
LONGEST = 7  # steps that it is followed before one is seen in full again


class Role:
    """What a module did at the last step that was seen in full.

    Attributes:
        module: held weakly, since another may be given its ``id``.
        is_root: each of its calls was the outermost one.
        training: its mode.
        activation: what it applied to its first argument; None where it applied nothing.
    """

    __slots__ = ("activation", "is_root", "module", "training")

    def __init__(self, module: nn.Module, *, is_root: bool) -> None:
        self.module = weakref.ref(module)
        self.is_root = is_root
        self.training = module.training
        self.activation: Activation | None = None


class Habit:
    """The roles of modules, learnt at steps that are seen in full.

    A habit forms where every activation was applied by a module, to what that was called with, and a glance was enough
    to read it. It ends with a step that had more or fewer of them, a module that was not there, or anything else that
    is new.

    """

    def __init__(self) -> None:
        self._roles: dict[int, Role] = {}
        self._learns, self._keeps = True, False
        self._learnt = self._followed = 0  # steps seen in full, and steps since the last of them
        self._usual = self._seen = 0  # activations in a step
        self._is_broken = False
        self._entered, self._given = 0, 0  # ids of the module that was called last and of its first argument

    @property
    def is_formed(self) -> bool:
        """Whether the next step may be followed by the roles alone."""
        return self._keeps and self._learnt >= LEARNT and self._followed < LONGEST

    def lasts(self, steps: int) -> bool:
        """Whether it may be followed for so many steps before one is seen in full."""
        return self._followed + steps <= LONGEST

    def open_step(self, *, learns: bool) -> None:
        """Begin with a step; ``learns`` where it is seen in full."""
        self._learns, self._seen, self._is_broken = learns, 0, False
        if learns:
            self._roles.clear()
            self._learnt, self._followed = self._learnt + 1, 0
        else:
            self._followed += 1

    def close_step(self) -> None:
        """Judge the step."""
        if self._learns:
            self._usual = self._seen
        self._keeps = not self._is_broken and 0 < self._seen == self._usual

    def enter(self, module: nn.Module, args: tuple[Any, ...], *, is_root: bool) -> None:
        """Learn of a call."""
        role = self._roles.get(id(module))
        if role is None:
            role = self._roles[id(module)] = Role(module, is_root=is_root)
        elif role.is_root != is_root or role.training != module.training:
            self.end()
        self._entered, self._given = id(module), id(args[0]) if args else 0

    def apply(self, owner: nn.Module | None, activation: Activation, z: Tensor) -> None:
        """Hear of an activation that a glance was enough for."""
        self._seen += 1
        if not self._learns:
            return
        role = self._roles.get(id(owner))
        if role is None or (self._entered, self._given) != (id(owner), id(z)):
            self.end()
        elif role.activation is None:
            role.activation = activation
        elif role.activation.name != activation.name:
            self.end()

    def role_of(self, module: nn.Module) -> Role | None:
        """The role of a module; None, and the end of the habit, for one that has none or has left it."""
        role = self._roles.get(id(module))
        if role is not None and role.module() is module and (role.is_root or role.training == module.training):
            return role
        self.end()
        return None

    def end(self) -> None:
        """The step goes otherwise: the next one is to be seen in full."""
        self._is_broken = True
