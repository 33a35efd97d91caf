"""What all modules of one elementwise function of the catalogue have in common."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar, cast

from torch import Tensor, nn

from limen.activations import Activation
from limen.nn.applying import apply, check_inplace
from limen.nn.entries import Call, entry_of

__all__ = ["Elementwise", "Plain", "Twin"]


class Elementwise(nn.Module, ABC):
    """A module that applies one function of the catalogue to each element.

    Where no kernel serves, fast is torch's own operator, with its numerics, if torch has one with these parameters;
    exact is always the catalogue's.

    Attributes:
        exact: the catalogue's digits: correctly rounded kernels, or its formulas, instead of what is fast.
        inplace: overwrite the input.
        kind: the class of its entry.
        fields: the names of the parameters of that class.
        form: how parameters are shown; by their names unless a class says otherwise.
    """

    kind: ClassVar[type[Activation]]
    fields: ClassVar[tuple[str, ...]]
    form: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" not in vars(cls):
            return
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{cls.kind.__doc__}"
        cls.fields = tuple(field.name for field in fields(cast(Any, cls.kind)))
        if "form" not in vars(cls):
            cls.form = ", ".join(f"{name}={{{name}}}" for name in cls.fields)

    def __init__(self, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__()
        self.inplace = inplace
        self.exact = exact

    @abstractmethod
    def call(self) -> Call:
        """The name of its entry, and the parameters of this moment."""

    @property
    def entry(self) -> Activation:
        """The entry of the catalogue that it applies, with its parameters of this moment."""
        return entry_of(*self.call())

    def check(self) -> None:
        """Refuse parameters that the function cannot take, and ``inplace`` where it is not safe."""
        call = self.call()
        entry_of(*call)
        if self.inplace:
            check_inplace(call)

    def forward(self, input: Tensor) -> Tensor:
        """The function of each element: the shape, type and layout of the input."""
        return apply(self.call(), input, exact=self.exact, inplace=self.inplace)

    def extra_repr(self) -> str:
        """The parameters, as torch shows them."""
        marks = ["inplace=True"] * self.inplace + ["exact=True"] * self.exact
        return ", ".join(filter(None, [self.form.format(**vars(self)), *marks]))


class Twin(Elementwise):
    """A module that has the parameters of its entry as attributes of the same names."""

    def call(self) -> Call:
        """The name of its entry, and its parameters."""
        return self.kind.name, tuple([getattr(self, name) for name in self.fields])


class Plain(Twin):
    """A function without parameters.

    Args:
        inplace: overwrite the input; refused where the backward pass needs it.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    def __init__(self, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.check()
