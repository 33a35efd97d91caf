"""The usual way of a step; ``quick.c``. What is out of the ordinary is left to the functions given."""

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from limen.activations import Activation
from limen.probe import surprise as plain
from limen.probe.site_book import Place

VERSION: int

class State:
    """What the quick way and the probe both know.

    Attributes:
        waiting: what has yet to be entered before anything that is read now.
        closed: the watch has ended.
        busy: the thread in which limen is at work within the training; 0 for none.
        cost: seconds that limen has taken of the current step.
        samples: of the first site in the current step, by the first axis of what it was given.
        batch: samples of the current step, by the first axis of what the model was given.
        takes_histogram: whether the current step is one whose histograms are kept.
        is_scaled: whether a gradient scaler has enlarged the gradients of the current backward pass.
    """

    waiting: deque[Any]
    closed: bool
    busy: int
    cost: float
    samples: int
    batch: int
    takes_histogram: bool
    is_scaled: bool
    def __init__(self, waiting: deque[Any]) -> None: ...

class Glance:
    """Reads pre-activations of one form, and their gradients, at a place that is known and settled.

    Args:
        state: of the probe.
        place: where it looks.
        z: of the form.
        add: address of ``limen_add``.
        add_gradient: address of ``limen_add_gradient``; 0 where gradients have to be copied to be read.
        account: address of that of the site.
        layout: address of how to walk through such a tensor.
        room: numbers of memory that ``add`` needs for a while, in doubles.
        entries: of such a tensor.
        kind: its type, as the kernels number them.
        is_shared: torch's threads share the work.
        is_first: the site is the first, by which samples are counted.
        keeps: kept alive, for the sake of the addresses.
        on_gradient: is given what a glance is not enough for: the place and the gradient.
        on_error: is given the place and an error.

    Attributes:
        ear: has ``hear`` told of gradients, see ``limen.probe.ear``; None where they are not waited for.

    Raises:
        ValueError: ``z`` does not lie in memory, or has more axes than are remembered.
    """

    ear: Tensor | None
    def __init__(
        self,
        state: State,
        place: Place,
        z: Tensor,
        *,
        add: int,
        add_gradient: int,
        account: int,
        layout: int,
        room: int,
        entries: int,
        kind: int,
        is_shared: bool,
        is_first: bool,
        keeps: object,
        on_gradient: Callable[[Place, Tensor | None], None],
        on_error: Callable[[Place, Exception], None],
    ) -> None: ...
    def look(self, owner: nn.Module | None, z: Tensor, /) -> bool:
        """Read a pre-activation and wait for its gradient; False, and nothing done, where that takes more."""

    def hear(self, gradient: Tensor | None, /) -> None:
        """Enter a gradient."""

class Role:
    """What a module did at the last step that was seen in full and in which it was called.

    Attributes:
        module: held weakly, since another may be given its ``id``.
        is_root: each of its calls was the outermost one.
        training: its mode.
        activation: what it applied to its first argument; None where it applied nothing.
        glances: one for each time that it did so in a forward pass.
    """

    activation: Activation | None
    def __init__(self, module: nn.Module, *, is_root: bool) -> None: ...
    @property
    def module(self) -> Callable[[], nn.Module | None]: ...
    @property
    def is_root(self) -> bool: ...
    @property
    def training(self) -> bool: ...
    @property
    def glances(self) -> list[Glance]: ...

class Follower:
    """Hears of each module before it is called, and has a glance at what it is given.

    Args:
        roles: by ``id`` of the module.
        on_root: is given each outermost module and its arguments.
        on_unusual: is given what a glance is not enough for: function, pre-activation, module, and the number of the
            call in this forward pass, from 1. Whether that call counts.

    Attributes:
        is_open: it hears at all.
        is_listening: it looks at what modules are given, not only at roots.
        thread: the one in which it hears.
        is_broken: it met a module that has no role, or has left it: be it that hooks of its own came in between.
        has_read: a glance was enough since this was last unset.
        seen: glances that were enough.
        calls: modules that it has heard of.
        passes: how often the calls of modules have been counted anew.
        cost: seconds that it took to know them; glances, and what it calls, count their own.
        root: the outermost module that was called last, held weakly; None before the first.
        stretch: counts the batches of outermost modules; None where each is to be told of.
    """

    is_open: bool
    is_listening: bool
    is_broken: bool
    has_read: bool
    thread: int
    seen: int
    calls: int
    passes: int
    cost: float
    root: Callable[[], nn.Module | None] | None
    stretch: Stretch | None
    def __init__(
        self,
        roles: dict[int, Role],
        on_root: Callable[[nn.Module, tuple[Any, ...]], None],
        on_unusual: Callable[[Activation, Tensor, nn.Module, int], object],
    ) -> None: ...
    def enter(self, module: nn.Module, args: tuple[Any, ...], /) -> None:
        """A module is about to be called."""

class Stretch:
    """Some steps of a training that goes its usual way: as ``PlainStretch``, whose docstrings are not repeated here.

    They may also be steps that are looked at. These the eyes follow by habit, and gradients are set to None between
    them.

    Args:
        first: number of the first step.
        looking: whether these steps are looked at.
        longest: seconds, after which the others hear of the steps.
        dispatch: seconds for the taps of one step, beside what is measured.
        clock: tells the time of steps, in seconds.
        is_scaling: see ``limen.anatomy``, as for ``divisors_of``.
        is_of_a_signal: whether an error is one of the script's.
        state: counts the batch.
        follower: looks away during backward passes and updates; None where the steps are not looked at.
        entry: the module whose batches are counted, held weakly; None where the probe counts them.
        marks: parameters whose gradients the last full step used, held weakly.
        close: closes a step that was looked at; whether it was as usual.

    Raises:
        TypeError: an argument is of another type, be it that what is to be held weakly is not.
    """

    disturbed: bool
    def __init__(
        self,
        optimiser: Optimizer,
        number: int,
        first: int,
        most: int,
        surprise: plain.Surprise,
        *,
        looking: bool,
        ran: bool,
        longest: float,
        dispatch: float,
        clock: Callable[[], float],
        is_scaling: Callable[[type], bool],
        divisors_of: Callable[[Tensor], Sequence[Tensor]],
        is_of_a_signal: Callable[[Exception], bool],
        state: State,
        follower: Follower | None,
        entry: weakref.ref[nn.Module] | None,
        marks: list[weakref.ref[Tensor]],
        close: Callable[[int], bool],
    ) -> None: ...
    @property
    def optimiser(self) -> Callable[[], Optimizer | None]: ...
    @property
    def number(self) -> int: ...
    @property
    def losses(self) -> list[float | None]: ...
    @property
    def rates(self) -> list[float]: ...
    @property
    def pending(self) -> float | None: ...
    @property
    def divisors(self) -> Sequence[Tensor]: ...
    @property
    def cost(self) -> float: ...
    @property
    def last(self) -> float: ...
    @property
    def looking(self) -> bool: ...
    @property
    def ran(self) -> bool: ...
    @property
    def in_backward(self) -> bool: ...
    @property
    def in_update(self) -> bool: ...
    @property
    def passed(self) -> bool: ...
    @property
    def over(self) -> bool: ...
    def begins_forward(self) -> bool: ...
    def begins_backward(self, root: object, /) -> bool: ...
    def ends_backward(self) -> bool: ...
    def begins_update(self, optimiser: Optimizer, /) -> bool: ...
    def ends_update(self, optimiser: Optimizer, /) -> bool: ...
    def end(self, seconds: float, /) -> bool:
        """Note nothing more. False where it has ended, or whoever is at it takes longer; and always in a fork.

        Nor does it wait for itself, where what it calls is interrupted to ask for this.

        Raises:
            ValueError: ``seconds`` is not in [0, 1e9].
        """

class Surprise(plain.Surprise):
    """The running mean of a loss and its mean absolute deviation: what ``limen.probe.surprise.Surprise`` is."""

class Closing:
    """Closes steps that were looked at by habit.

    Args:
        follower: has seen what there was to see.
        state: has counted the batch.
        usual: glances in a step.
        left: steps that may be followed before one is seen in full.
        close: address of ``limen_close``.
        ledger: its first argument, which others keep alive.
        lock: of that.
        take: called under it when the rows of the ledger must be taken.
        otherwise: closes a step that has more to it; whether it was as usual.
    """

    def __init__(
        self,
        follower: Follower,
        state: State,
        *,
        usual: int,
        left: int,
        close: int,
        ledger: int,
        lock: AbstractContextManager[bool],
        take: Callable[[], None],
        otherwise: Callable[[int], bool],
    ) -> None: ...
    def __call__(self, step: int, /) -> bool:
        """Close a step and open the next; False, and nothing done, where one of them is not as usual."""

    def count(self) -> tuple[int, int]:
        """How many steps it has closed without ``otherwise`` since the last call, and samples in their batches."""
