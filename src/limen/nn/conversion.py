"""From an entry of the catalogue to the module that applies it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from torch import nn

from limen import activations
from limen.activations import Activation
from limen.nn import like_torch, parametric, plain
from limen.nn.elementwise import Elementwise
from limen.nn.entries import Call, call_of
from limen.nn.learnable import LEARNABLE
from limen.nn.prelu import PReLU

__all__ = ["Activate", "of_entry"]


class Activate(Elementwise):
    """Any elementwise entry of the catalogue, also one that a user has registered.

    Args:
        entry: it, or its name.
        inplace: overwrite the input; refused where the backward pass needs it.
        exact: correctly rounded kernels instead of fast ones, where there are two.
        **parameters: of the function, with a name.

    >>> Activate("elu", alpha=0.5)
    Activate(ELU(alpha=0.5))
    """

    def __init__(
        self, entry: Activation | str, inplace: bool = False, *, exact: bool = False, **parameters: Any
    ) -> None:
        super().__init__(inplace, exact=exact)
        self._call = call_of(activations.get(entry, **parameters) if isinstance(entry, str) else entry)
        self.check()

    def call(self) -> Call:
        """The name of its entry, and its parameters."""
        return self._call

    def extra_repr(self) -> str:
        """The entry."""
        return ", ".join([repr(self.entry), *["inplace=True"] * self.inplace, *["exact=True"] * self.exact])


CLASSES: dict[type[Activation], type[Elementwise]] = {
    twin.kind: twin
    for room in (like_torch, parametric, plain)
    for name in room.__all__
    if issubclass(twin := getattr(room, name), Elementwise)
}
"""The class of the modules for the entries of each class."""


def of_entry(entry: Activation, *, exact: bool = False) -> nn.Module:
    """A new module that applies an entry; ``limen.activations.of_module`` goes the other way.

    Args:
        entry: elementwise, of the catalogue; a slope at its kinks other than torch's is kept.
        exact: correctly rounded kernels instead of fast ones, where there are two.

    Raises:
        InvalidValue: the catalogue has no such entry (also a ``ValueError``).

    >>> of_entry(activations.get("leaky_relu", negative_slope=0.2))
    LeakyReLU(negative_slope=0.2)
    """
    if isinstance(entry, activations.Identity):
        return nn.Identity()
    if isinstance(entry, activations.PReLU):
        return PReLU(init=entry.negative_slope)
    if type(entry) in LEARNABLE:
        return LEARNABLE[type(entry)](entry)
    twin = CLASSES.get(type(entry))
    return Activate(entry, exact=exact) if twin is None else twin(**asdict(cast(Any, entry)), exact=exact)
