"""Two linear maps in a row that are one map on purpose."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Map", "is_factor"]


@dataclass(frozen=True)
class Map:
    """What a weight is applied as.

    Attributes:
        units: that it makes.
        inputs: units that it reads.
        kernel: sizes of a convolution's kernel; empty elsewhere.
        groups: of a convolution; 1 elsewhere.
        transposed: whether it is a transposed convolution.
        trained: whether its weight requires gradients.
    """

    units: int
    inputs: int
    kernel: tuple[int, ...] = ()
    groups: int = 1
    transposed: bool = False
    trained: bool = True

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a convolution that mixes channels alone."""
        return bool(self.kernel) and set(self.kernel) == {1}


def is_factor(first: Map, second: Map) -> bool:
    """Whether two maps, the second applied to what the first makes, are together a form that is used on purpose.

    These are: a map through fewer units than go in and come out (a factor of low rank, LoRA, an inverted bottleneck,
    the code of an autoencoder); convolutions of groups (depthwise and pointwise), or whose kernels are a row and a
    column; a convolution of channels alone beside one of a larger kernel; upsampling by a transposed convolution; and
    whatever has a frozen part.

    >>> is_factor(Map(8, 512), Map(512, 8))
    True
    >>> is_factor(Map(512, 512), Map(512, 512))
    False
    """
    if not (first.trained and second.trained):
        return True
    if first.units < min(first.inputs, second.units):
        return True
    if first.groups > 1 or second.groups > 1 or (first.transposed and not second.transposed):
        return True
    convolved = bool(first.kernel and second.kernel)
    return (convolved and first.is_pointwise != second.is_pointwise) or is_crossed(first, second)


def is_crossed(first: Map, second: Map) -> bool:
    """Whether two kernels are a row and a column, which together stand for a square one."""
    one, two = first.kernel, second.kernel
    if len(one) < 2 or len(one) != len(two) or first.transposed != second.transposed:
        return False
    return one != two and 1 in one and 1 in two and max(one) > 1 and max(two) > 1
