"""Modules of the functions with parameters that torch.nn does not have."""

from __future__ import annotations

import math

from limen import activations
from limen.nn.elementwise import Twin

__all__ = ["ISRLU", "ISRU", "ScaledTanh", "Sin", "Snake", "SquarePlus", "StarReLU"]


class ISRLU(Twin):
    """A line on the right, ``ISRU`` on the left.

    Args:
        alpha: the output far on the left is ``-1 / sqrt(alpha)``.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.ISRLU

    def __init__(self, alpha: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.alpha = alpha
        self.check()


class ISRU(Twin):
    """The input over the root of 1 and its square.

    Args:
        alpha: the outputs far out are ``±1 / sqrt(alpha)``.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.ISRU

    def __init__(self, alpha: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.alpha = alpha
        self.check()


class ScaledTanh(Twin):
    """A tanh between two limits, for bounded outputs.

    Args:
        low: the lower limit.
        high: the upper limit.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.ScaledTanh

    def __init__(self, low: float = -1.0, high: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.low = low
        self.high = high
        self.check()


class Sin(Twin):
    """The wave of SIREN.

    Args:
        w0: angular frequency.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Sin

    def __init__(self, w0: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.w0 = w0
        self.check()


class Snake(Twin):
    """A line with a wave on it.

    Args:
        alpha: angular frequency; it is not learned.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.Snake

    def __init__(self, alpha: float = 1.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.alpha = alpha
        self.check()


class SquarePlus(Twin):
    """A hyperbola for a softplus.

    Args:
        b: how round it is at 0.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.SquarePlus

    def __init__(self, b: float = 4.0, *, exact: bool = False) -> None:
        super().__init__(exact=exact)
        self.b = b
        self.check()


class StarReLU(Twin):
    """The square of a ReLU with mean 0 and variance 1 at standard normal inputs; not learned.

    Args:
        scale: of the square.
        bias: the output on the left.
        exact: correctly rounded kernels instead of fast ones, where there are two.
    """

    kind = activations.StarReLU

    def __init__(
        self, scale: float = 2 / math.sqrt(5), bias: float = -1 / math.sqrt(5), *, exact: bool = False
    ) -> None:
        super().__init__(exact=exact)
        self.scale = scale
        self.bias = bias
        self.check()
