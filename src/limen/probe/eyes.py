"""The eyes: a function mode and torch's global module hooks, open only on the steps that are looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from limen.activations import Activation, composite, of_call
from limen.anatomy import is_compiled, is_recurrent, unwrapped
from limen.probe.habit import Habit
from limen.probe.inputs import is_dense, is_trained
from limen.probe.mode_stacks import ModeStacks
from limen.probe.modes import hide_from_compiler, is_ordinary, is_present, is_transformed, unseen
from limen.probe.nesting import is_within_itself
from limen.probe.quick import Glance
from limen.probe.seen import Recurring, Seen

__all__ = ["Eyes"]

DISPATCH = 6e-6  # seconds for a call that passes through the mode or the two hooks, beside what is measured within


class Eyes(TorchFunctionMode):
    """Reports every application of an activation function in a training pass to ``on_seen``.

    ``on_seen`` may return a function that is then given the result of the call. Recurrent layers are reported to
    ``on_recurrent`` with their result, root modules to ``on_root`` when a training pass of theirs begins. Evaluation
    passes (gradients off, or the outermost module in evaluation mode) are left alone entirely: the mode is taken away
    for their duration, so that torch's fast paths stay fast. While a habit holds (see Habit), there is no mode and one
    hook.
    """

    def __init__(
        self,
        on_seen: Callable[[Seen], Callable[[Any], None] | None],
        on_root: Callable[[nn.Module, tuple[Any, ...]], None],
        on_recurrent: Callable[[Recurring, Any], None],
        watches: Callable[[nn.Module], bool],
    ) -> None:
        self.on_seen = on_seen
        self.on_root = on_root
        self.on_recurrent = on_recurrent
        self.watches = watches
        self.is_open = False
        # told of each module, in the first steps
        self.on_part: Callable[[nn.Module, tuple[Any, ...]], None] | None = None
        self.everywhere = True  # look outside of modules too; costs a little for every torch call of the script
        self.glances: dict[tuple[int, str, int], Glance] = {}  # by owner, function and call
        self._calls = 0  # dispatches through the mode and hooks
        self._thread = threading.get_ident()
        self._stack: list[nn.Module] = []
        self._composite: list[tuple[int, Callable[[Any], None] | None]] = []
        self._counts: dict[tuple[int, str], int] = {}
        self._blind = 0  # depth of the stack at which an unwatched pass began; 0 while watching
        self._covered: object = None  # the compiled module or function that is running
        self.met_compiled = False  # the training calls compiled code
        self.met_transform = False  # the training runs forward within torch.func
        self._shut = 0  # nesting of backward passes and optimiser steps
        self._inside = 0  # nesting of calls on their way through the mode, during which torch has taken it away
        self._stays = False  # closed within a call on its way through the mode, which torch has yet to put back
        self._handles: list[Any] = []
        self.habit = Habit(self._enter_root_as_usual, self._report_unusual)
        self._by_habit = False
        self.follower = self.habit.follower  # for whoever notes what it hears
        self.has_read = self.habit.has_read
        self._stacks = ModeStacks(self, lambda: self.is_open and threading.get_ident() == self._thread)

    @property
    def watching(self) -> bool:
        """Whether a training pass in progress here is to be watched, be it compiled."""
        return self.is_open and not self._shut and not self._blind and threading.get_ident() == self._thread

    @property
    def root(self) -> nn.Module | None:
        """The outermost module being called; None outside of any."""
        return self._stack[0] if self._stack else None

    @property
    def compiled(self) -> nn.Module | None:
        """The compiled module being called; None outside of any."""
        return unwrapped(self._covered) if isinstance(self._covered, nn.Module) else None

    @property
    def follows(self) -> bool:
        """Whether they are open, and go by a habit."""
        return self.is_open and self._by_habit

    def take_cost(self) -> float:
        """Seconds that dispatches through the mode and hooks have taken since the last time, about."""
        cost, self._calls = self._calls * DISPATCH, 0
        return cost + self.habit.take_cost()

    def open(self, steps: int = 1) -> None:
        """Look on, in full unless so many steps may go by habit. Call between steps, never within a forward pass."""
        if self.is_open:
            self.habit.close_step()
        unusual = self._stack or self._inside or self.everywhere or self.met_compiled or self.on_part
        by_habit = self.habit.lasts(steps) and not unusual
        self.habit.open_step(learns=not by_habit)
        if self.is_open and by_habit == self._by_habit:
            return
        self.is_open = False  # until all is in its place: an interrupt may come in between
        self._unhook()
        self._by_habit, self._thread = by_habit, threading.get_ident()
        self._stack, self._composite, self._counts, self._blind, self._covered = [], [], {}, 0, None
        self._hook()
        self.is_open = True
        self._place_mode()
        self._tell_follower()

    def close(self) -> None:
        """Stop looking and leave nothing behind."""
        if self.is_open or self._stays:
            self._stays = bool(self._inside)  # torch puts the mode back when this call has ended
            if not self._stays:
                self._stacks.take_off()
        if self.is_open:
            self.habit.close_step()
            self.is_open = False
            self._stack = []
            self._tell_follower()
        if self._handles:
            self._unhook()
            self._stacks.sweep()

    def _hook(self) -> None:
        if self._handles:
            return
        if self._by_habit and self.habit.hook is not None:
            self._handles.append(hooks.register_module_forward_pre_hook(self.habit.hook))
        else:
            self._handles.append(hooks.register_module_forward_pre_hook(self._enter))
            self._handles.append(hooks.register_module_forward_hook(self._leave, with_kwargs=False, always_call=True))

    def _unhook(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def shut(self, thread: int | None = None) -> None:
        """Look away for a backward pass or an optimiser step of this thread or another; nests."""
        self._shut += 1
        if not self.is_open:
            return
        if self._by_habit:
            self._stack.clear()  # of the end of a call nothing was heard
        if not self._stack:
            # the training may run in another thread than the one that began
            self._thread = threading.get_ident() if thread is None else thread
        self._place()

    def reopen(self) -> None:
        """End what ``shut`` began."""
        self._shut -= 1
        if self.is_open:
            self._counts.clear()
            self.habit.count_anew()
            self._place()

    @contextmanager
    def unseeing(self, compiled: nn.Module | None) -> Generator[None]:
        """A context for compiled code, without the mode and the hooks; ``compiled`` is its module, if it is one."""
        if self._covered is not None or threading.get_ident() != self._thread:
            yield
            return
        hooked = bool(self._handles)
        self._cover(self if compiled is None else compiled)
        self._unhook()
        try:
            yield
        finally:
            if hooked and self.is_open:
                self._hook()
            self._cover(None)

    def _cover(self, compiled: object) -> None:
        """Take the mode away while something compiled runs, or put it back."""
        self._covered, self.met_compiled = compiled, True
        self._place()

    def reset(self) -> None:
        """Look again, whatever was begun and never ended."""
        if self._shut:
            self._shut = 0
            self._place()

    def _place(self) -> None:
        """Look, or look away, as the state asks for."""
        if self._by_habit:
            self._tell_follower()
        else:
            self._place_mode()

    def _tell_follower(self) -> None:
        is_open, is_listening = self.is_open and self._by_habit, not (self._shut or self._blind)
        self.habit.tell_follower(is_open=is_open, is_listening=is_listening, thread=self._thread)

    def _place_mode(self) -> None:
        """Put the mode on the stack or take it off."""
        if self._inside or threading.get_ident() != self._thread:
            return
        wanted = (
            self.is_open
            and not self._shut
            and not self._blind
            and self._covered is None
            and not self._by_habit
            and (self.everywhere or bool(self._stack))
        )
        present = is_present(self)
        if wanted and not present:
            self._stacks.put()
        elif present and not wanted:
            self._stacks.take_off()

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Let every call through unchanged; report those that apply an activation."""
        kwargs = kwargs or {}
        if torch.compiler.is_compiling():  # the compiler reads this function too, and must find nothing in it
            return func(*args, **kwargs)
        self._calls += 1
        self._inside += 1
        try:
            after = None
            with unseen():
                found = of_call(func, args, kwargs) if self.is_open and not self._composite else None
            if found is not None and torch.is_grad_enabled() and threading.get_ident() == self._thread:
                after = self._report(*found, self._stack[-1] if self._stack else None)
            elif is_recurrent(func) and self.watching and not self._composite:
                self.habit.end()
                after = self._report_recurrent(func, args)
            result = func(*args, **kwargs)
            if after is not None:
                after(result)
            return result
        finally:
            self._inside -= 1

    def _report(self, activation: Activation, z: Tensor, owner: nn.Module | None) -> Callable[[Any], None] | None:
        if is_transformed():
            self.met_transform = True
        self.habit.meet(owner, activation, z)
        if not is_trained(z):
            return None
        key = (id(owner), activation.name)
        call = self._counts[key] = self._counts.get(key, 0) + 1
        glance = self.glances.get((*key, call))
        if glance is not None and glance.look(owner, z):
            self.habit.apply(owner, activation, z, glance, call)
            return None
        self.habit.end()
        return self.on_seen(Seen(activation, z, owner, self._stack[0] if self._stack else None, call))

    def _report_recurrent(self, func: Any, args: tuple[Any, ...]) -> Callable[[Any], None] | None:
        """What is to be told the result of a recurrent layer, whose gates are only known then."""
        data = args[0] if args else None
        if not torch.is_grad_enabled() or not isinstance(data, Tensor) or not is_ordinary():
            return None
        with unseen():
            if not is_dense(data):
                return None
        return partial(self.on_recurrent, Recurring(func, args, self._stack[-1] if self._stack else None, self.root))

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if torch.compiler.is_compiling() or threading.get_ident() != self._thread or not self.is_open:
            return
        if self._covered is not None:
            return
        self._calls += 1
        if self._stack and self._stack[0] is module and not is_within_itself(module):  # an interrupt cut it short
            self._stack, self._composite, self._blind = [], [], 0
        self._stack.append(module)
        self.habit.enter(module, args, is_root=len(self._stack) == 1)
        if len(self._stack) == 1:
            self._enter_root(module, args)
        if self.on_part is not None and not (self._blind or self._shut):
            self.on_part(module, args)
        if self._blind or self._shut or self._composite or type(module) in _PLAIN:
            return
        if is_compiled(module) and not hasattr(module.forward, "covers_eyes"):  # compiled before the watch began
            self._cover(module)
            return
        activation = composite(module)
        if activation is None and not is_compiled(module):
            _PLAIN.add(type(module))
        if activation is not None and args and isinstance(args[0], Tensor) and torch.is_grad_enabled():
            self._composite.append((len(self._stack), self._report(activation, args[0], module)))

    def _enter_root_as_usual(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Hear of an outermost module while a habit holds; of the end of its call nothing is heard."""
        self._stack, self._blind = [module], 0
        self._enter_root(module, args)

    def _report_unusual(self, activation: Activation, z: Any, owner: nn.Module, call: int) -> bool:
        """Report what a module is applied to while a habit holds, where a glance was not enough; whether it counts."""
        if not isinstance(z, Tensor):
            return False
        self._stack = [root] if (root := self.follower and self.follower.root and self.follower.root()) else []
        self._counts[id(owner), activation.name] = call - 1
        self._report(activation, z, owner)
        counts = self._counts[id(owner), activation.name] == call
        if counts and self.follower is not None:
            self.follower.has_read = True
        return counts

    def _enter_root(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._counts.clear()
        if not torch.is_grad_enabled() or not module.training or not self.watches(module):
            self._blind = 1
        elif not is_ordinary():
            self._blind, self.met_transform = 1, self.met_transform or is_transformed()
        elif not self._shut:
            self.on_root(module, args)
        self._place()

    def _leave(self, module: nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if torch.compiler.is_compiling() or threading.get_ident() != self._thread:
            return
        if not (self._stack and self._stack[-1] is module) and module not in self._stack[-3:]:
            return
        if self._covered is not None:
            if module is not self._covered:
                return
            self._cover(None)
        while self._stack and self._stack.pop() is not module:
            pass  # a module whose forward raised never reported its end
        if self._stack and not self._composite:
            return
        if self._composite and self._composite[-1][0] > len(self._stack):
            _, after = self._composite.pop()
            if after is not None and isinstance(result, Tensor):
                after(result)
        if not self._stack:
            self._blind = 0
            self._place()


HIDDEN = ("__torch_function__", "_report", "_report_recurrent", "_enter", "_enter_root", "_leave")
hide_from_compiler(*(vars(Eyes)[name] for name in HIDDEN))

_PLAIN: set[type[nn.Module]] = set()  # classes that are neither composite nor compiled
