"""What an entry's value, slope and curvature cannot be asked of."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor

from limen.errors import WrongType

__all__ = ["floating"]

Method = Callable[[Any, Tensor], Tensor]


def floating(method: Method) -> Method:
    """A method of an entry that refuses what is no tensor of floating-point numbers."""

    @wraps(method)
    def checked(self: Any, x: Tensor) -> Tensor:
        if isinstance(x, Tensor) and x.is_floating_point():  # pyright: ignore[reportUnnecessaryIsInstance]
            return method(self, x)
        raise WrongType(f"{self.name}.{method.__name__}(x): expected a tensor of floating-point numbers, {found(x)}")

    return checked


def found(x: object) -> str:
    """What was given instead, and the way out."""
    if not isinstance(x, Tensor):
        return (
            f"found {x!r:.60} ({type(x).__name__}). `torch.as_tensor(x, dtype=torch.float32)` makes one; "
            "the functions of `.numpy` take arrays, lists and numbers."
        )
    shape = f"found one of {str(x.dtype).removeprefix('torch.')} with shape {list(x.shape)}."
    if x.is_complex():
        return f"{shape} No entry is defined for complex numbers: give `x.real` or `x.abs()`."
    return f"{shape} `x.float()` makes one."
