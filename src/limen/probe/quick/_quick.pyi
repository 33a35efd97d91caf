"""The usual way of a step; ``quick.c``. What is out of the ordinary is left to the functions given."""

from collections import deque
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from limen.activations import Activation
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
        takes_histogram: whether the current step is one whose histograms are kept.
        is_scaled: whether a gradient scaler has enlarged the gradients of the current backward pass.
    """

    waiting: deque[Any]
    closed: bool
    busy: int
    cost: float
    samples: int
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
        on_gradient: is given what a glance is not enough for: the place, the output of its node, and the gradients.
        on_error: is given the place and an error.

    Raises:
        ValueError: ``z`` does not lie in memory, or has more axes than are remembered.
    """

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
        on_gradient: Callable[[Place, int, tuple[Tensor | None, ...]], None],
        on_error: Callable[[Place, Exception], None],
    ) -> None: ...
    def look(self, owner: nn.Module | None, z: Tensor, /) -> bool:
        """Read a pre-activation and wait for its gradient; False, and nothing done, where that takes more."""

    def hear(self, gradients: tuple[Tensor | None, ...], /) -> None:
        """Enter a gradient."""

class Role:
    """What a module did at the last step that was seen in full.

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
            call in this forward pass, from 1.

    Attributes:
        is_open: it hears at all.
        is_listening: it looks at what modules are given, not only at roots.
        thread: the one in which it hears.
        is_broken: it met a module that has no role, or has left it.
        seen: glances that were enough.
        calls: modules that it has heard of.
        cost: seconds that it took to know them; glances, and what it calls, count their own.
    """

    is_open: bool
    is_listening: bool
    is_broken: bool
    thread: int
    seen: int
    calls: int
    cost: float
    def __init__(
        self,
        roles: dict[int, Role],
        on_root: Callable[[nn.Module, tuple[Any, ...]], None],
        on_unusual: Callable[[Activation, Tensor, nn.Module, int], None],
    ) -> None: ...
    def enter(self, module: nn.Module, args: tuple[Any, ...], /) -> None:
        """A module is about to be called."""
