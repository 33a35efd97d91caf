"""The modules: one function of the catalogue each, with the constructors of torch.nn where torch has them."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from limen.activations import Activation
from limen.nn.applying import apply, check_inplace
from limen.nn.entries import Call, entry_of

__all__ = ["Elementwise", "Plain"]


class Elementwise(nn.Module, ABC):
    """A module that applies one function of the catalogue to each element.

    Where no kernel serves, fast is torch's own operator, with its numerics, if torch has one with these parameters;
    exact is always the catalogue's.

    Attributes:
        exact: the catalogue's digits: correctly rounded kernels, or its formulas, instead of what is fast.
        inplace: overwrite the input.
        kind: the class of its entry.
        form: how its parameters are shown.
    """

    kind: ClassVar[type[Activation]]
    form: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls):  # what the function is stands in one place
            cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{cls.kind.__doc__}"

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


class Plain(Elementwise):
    """A function without parameters.

    Args:
        inplace: overwrite the input; refused where the backward pass needs it.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    def __init__(self, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.check()

    def call(self) -> Call:
        """The name of its entry."""
        return self.kind.name, ()
