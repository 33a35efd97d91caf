"""The operations of a tape at which weights meet data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from limen.anatomy.tape.values import Operation, Value

__all__ = ["LinearMap", "linear_map_of"]

RESHAPED = frozenset({"T", "mT", "H", "mH", "t", "transpose", "permute", "view", "reshape", "to", "float", "half",
                      "bfloat16", "double", "type_as", "contiguous", "clone", "detach", "alias", "data"})  # fmt: skip
SWAPS = frozenset({"T", "mT", "H", "mH", "t", "transpose"})


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A weight applied to data: ``data · weight + bias``.

    Attributes:
        operation: the call.
        weight: the parameter behind the factor, through casts and transpositions.
        exact: False where the factor is computed from that parameter, for instance by weight normalisation.
        bias: the parameter added to the product by the same call; None where there is none.
        data: what the weight is applied to; None for an embedding.
        unit_axis: the axis of ``weight`` along which the units of the result lie.
        input_axis: the axis of ``weight`` that meets the units of the data.
        positions: places of a convolution's kernel; 1 elsewhere.
        groups: groups of a convolution; 1 elsewhere.
        transposed: whether it is a transposed convolution.
    """

    operation: Operation
    weight: Value
    exact: bool
    bias: Value | None
    data: Value | None
    unit_axis: int
    input_axis: int
    positions: int = 1
    groups: int = 1
    transposed: bool = False

    @property
    def units(self) -> int:
        """Number of units made."""
        return self.weight.shape[self.unit_axis] * (self.groups if self.transposed else 1)

    @property
    def fan_in(self) -> int:
        """Inputs that are summed for one unit at one place, padding and stride apart; 1 for an embedding."""
        if self.data is None:
            return 1
        return self.weight.shape[self.input_axis] // (self.groups if self.transposed else 1) * self.positions

    @property
    def fan_out(self) -> int:
        """Results that one input is summed into."""
        return self.weight.shape[self.unit_axis] // (1 if self.transposed else self.groups) * self.positions


def linear_map_of(operation: Operation) -> LinearMap | None:
    """The weight that an operation applies, or None for an operation without one; recurrent layers have several."""
    name = operation.name
    if name == "linear":
        return made(operation, "weight", 0, 1, data="input", bias="bias")
    if name.startswith("conv_transpose"):
        return made(operation, "weight", 1, 0, data="input", bias="bias")
    if name in ("conv1d", "conv2d", "conv3d"):
        return made(operation, "weight", 0, 1, data="input", bias="bias")
    if name == "embedding":
        return made(operation, "weight", 1, 0, data=None, bias=None)
    if name == "bilinear":
        return made(operation, "weight", 0, 1, data="input1", bias="bias")
    if name in ("addmm", "baddbmm"):
        left, right = ("mat1", "mat2") if name == "addmm" else ("batch1", "batch2")
        return of_matrices(operation, left, right, bias="input")
    if name in ("matmul", "mm", "bmm", "mv", "rmatmul"):
        right = {"matmul": "other", "mv": "vec", "rmatmul": "other"}.get(name, "mat2")
        return of_matrices(operation, "input", right, bias=None)
    return None


def of_matrices(operation: Operation, left: str, right: str, *, bias: str | None) -> LinearMap | None:
    """A product of two matrices, one of which is a parameter; the right one where both are."""
    found = made(operation, right, -1, -2, data=left, bias=bias)
    return found if found is not None else made(operation, left, -2, -1, data=right, bias=bias)


def made(
    operation: Operation, place: str, unit_axis: int, input_axis: int, *, data: str | None, bias: str | None
) -> LinearMap | None:
    """The map whose weight is the argument at ``place``, if a parameter is behind it."""
    factor = operation.argument(place)
    found = parameter_behind(factor) if isinstance(factor, Value) else None
    if found is None or len(found[0].shape) < 2:
        return None
    weight, exact, swapped = found
    count = len(weight.shape)
    unit_axis, input_axis = unit_axis % count, input_axis % count
    if swapped:
        unit_axis, input_axis = input_axis, unit_axis
    given = operation.argument(data) if data else None
    added = operation.argument(bias) if bias else None
    addend = parameter_behind(added) if isinstance(added, Value) else None
    convolves = operation.name.startswith("conv")
    return LinearMap(
        operation,
        weight,
        exact,
        addend[0] if addend else None,
        given if isinstance(given, Value) else None,
        unit_axis,
        input_axis,
        positions=math.prod(weight.shape[2:]) if convolves else 1,
        groups=int(operation.argument("groups", 1)) if convolves else 1,
        transposed=operation.name.startswith("conv_transpose"),
    )


def parameter_behind(value: Value) -> tuple[Value, bool, bool] | None:
    """The parameter that a value is, through casts and transpositions or computed from it.

    Returns:
        The parameter, whether the value holds the same numbers, and whether its two axes have changed places; None
        where no parameter of as many axes is near.
    """
    exact, swapped = True, False
    for _ in range(12):
        if value.source == "parameter":
            return value, exact, swapped
        maker = value.maker
        if maker is None or not maker.inputs:
            return None
        exact = exact and maker.name in RESHAPED
        swapped ^= maker.name in SWAPS
        value = next((given for given in maker.inputs if len(given.shape) >= 2), maker.inputs[0])
    return None
