"""What the entries of the catalogue cannot be asked of."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor

from limen.errors import WrongType

__all__ = ["check_floating", "floating"]

Method = Callable[[Any, Tensor], Tensor]

ARRAYS = "; the functions of `.numpy` take arrays, lists and numbers"


def floating(method: Method) -> Method:
    """A method of an entry that refuses what is no tensor of floating-point numbers."""

    @wraps(method)
    def checked(self: Any, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor) or not x.is_floating_point():  # pyright: ignore[reportUnnecessaryIsInstance]
            check_floating(f"{self.name}.{method.__name__}(x)", x, other=ARRAYS)
        return method(self, x)

    return checked


def check_floating(call: str, x: object, *, other: str = "") -> None:
    """Refuse what is no tensor of floating-point numbers.

    Args:
        call: what was asked.
        x: what it was asked of.
        other: another way out, where it is no tensor.

    Raises:
        WrongType: says the call, what was found and the way out (also a ``TypeError``).
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise WrongType(f"{call}: expected a tensor of floating-point numbers, {found(x, other)}")


def found(x: object, other: str) -> str:
    """What was given instead, and the way out."""
    if not isinstance(x, Tensor):
        return f"found {x!r:.60} ({type(x).__name__}). `torch.as_tensor(x, dtype=torch.float32)` makes one{other}."
    shape = f"found one of {str(x.dtype).removeprefix('torch.')} with shape {list(x.shape)}."
    if x.is_complex():
        return f"{shape} No entry is defined for complex numbers: give `x.real` or `x.abs()`."
    return f"{shape} `x.float()` makes one."
