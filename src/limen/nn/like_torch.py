"""Modules with the constructors of torch.nn, for the functions that torch has with parameters."""

from __future__ import annotations

from limen import activations
from limen.errors import InvalidValue
from limen.nn.elementwise import Elementwise, Twin
from limen.nn.entries import Call

__all__ = ["CELU", "ELU", "GELU", "Hardshrink", "Hardtanh", "LeakyReLU", "Softplus", "Softshrink", "Threshold"]


class GELU(Elementwise):
    """``torch.nn.GELU``, also far out.

    Args:
        approximate: ``none``, or ``tanh`` for the entry ``gelu_tanh``.
        exact: correctly rounded kernels instead of fast ones.
    """

    kind = activations.GELU
    form = "approximate={approximate!r}"

    def __init__(self, approximate: str = "none", *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.approximate = approximate
        self.check()

    def call(self) -> Call:
        """The name of its entry."""
        return gelu_name(self.approximate), ()


def gelu_name(approximate: str) -> str:
    """The entry that torch calls by this word.

    Raises:
        InvalidValue: it is neither ``none`` nor ``tanh``.
    """
    if approximate not in ("none", "tanh"):
        raise InvalidValue(f"gelu(approximate={approximate!r}): expected 'none' or 'tanh'.")
    return "gelu" if approximate == "none" else "gelu_tanh"


class LeakyReLU(Twin):
    """``torch.nn.LeakyReLU``.

    Args:
        negative_slope: slope on the left.
        inplace: overwrite the input; the backward pass does with the output, unless the slope is negative.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.LeakyReLU

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.negative_slope = negative_slope
        self.check()


class Threshold(Twin):
    """``torch.nn.Threshold``.

    Args:
        threshold: what is not above it is replaced.
        value: what it is replaced by.
        inplace: overwrite the input; the backward pass does with the output, unless the value is above the threshold.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Threshold

    def __init__(self, threshold: float, value: float, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.threshold = threshold
        self.value = value
        self.check()


class Hardtanh(Twin):
    """``torch.nn.Hardtanh``.

    Args:
        min_val: the least output.
        max_val: the largest.
        inplace: overwrite the input; the backward pass does with the output.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Hardtanh

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, *, exact: bool = False
    ) -> None:
        super().__init__(inplace, exact=exact)
        self.min_val = min_val
        self.max_val = max_val
        self.check()


class ELU(Twin):
    """``torch.nn.ELU``.

    Args:
        alpha: the output far on the left is ``-alpha``.
        inplace: overwrite the input; refused: the backward pass needs it.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.ELU

    def __init__(self, alpha: float = 1.0, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.alpha = alpha
        self.check()


class CELU(Twin):
    """``torch.nn.CELU``.

    Args:
        alpha: the output far on the left is ``-alpha``.
        inplace: overwrite the input; refused: the backward pass needs it.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.CELU

    def __init__(self, alpha: float = 1.0, inplace: bool = False, *, exact: bool = False) -> None:
        super().__init__(inplace, exact=exact)
        self.alpha = alpha
        self.check()


class Softplus(Twin):
    """``torch.nn.Softplus``.

    Args:
        beta: steepness at 0.
        threshold: accepted for torch's sake and without effect: beyond it torch returns the input; here nothing
            overflows, and the value is right on both sides.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Softplus
    form = "beta={beta}, threshold={threshold}"

    def __init__(self, beta: float = 1.0, threshold: float = 20.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.beta = beta
        self.threshold = threshold
        self.check()


class Hardshrink(Twin):
    """``torch.nn.Hardshrink``.

    Args:
        lambd: what is not farther from 0 becomes 0.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Hardshrink
    form = "{lambd}"

    def __init__(self, lambd: float = 0.5, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.lambd = lambd
        self.check()


class Softshrink(Twin):
    """``torch.nn.Softshrink``.

    Args:
        lambd: how much nearer to 0 each input gets.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Softshrink
    form = "{lambd}"

    def __init__(self, lambd: float = 0.5, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.lambd = lambd
        self.check()
