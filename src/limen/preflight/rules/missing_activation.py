"""Two linear maps that follow each other."""

from __future__ import annotations

from collections.abc import Iterator

from limen.anatomy import Map, is_factor
from limen.anatomy.tape import LinearMap, Operation, Value
from limen.findings import Finding
from limen.preflight.chains import AFFINE, DROPOUT, VIEWS, after, before, exclusive
from limen.preflight.flight import Flight, titled
from limen.preflight.limits import Limits
from limen.preflight.rules.found import found
from limen.preflight.rules.registry import check

THROUGH = VIEWS | DROPOUT | AFFINE
ATTENTION = frozenset({"scaled_dot_product_attention", "matmul", "bmm", "einsum", "baddbmm"})
SPLITS = VIEWS | {"chunk", "split", "getitem", "unbind", "select", "tensor_split"}


@check("missing-activation")
def missing_activation(flight: Flight, limits: Limits) -> Iterator[Finding]:
    """Two layers of weights with no activation between them: together they are no more than one layer.

    Why it matters: the product of two matrices is one matrix. The second layer adds parameters and time and nothing
    that the net can express; it is nearly always a forgotten line.

    How it is measured: what a layer is given is followed back through changes of shape, dropout, batch normalisation,
    added and multiplied constants to another layer, whose result nothing else reads. Not meant, and so not reported:
    a first layer with fewer units than it has inputs and the second has outputs (a factor of low rank, LoRA, an
    inverted bottleneck, the code of an autoencoder); convolutions of groups (depthwise and pointwise), or whose
    kernels are a row and a column; projections to queries, keys and values; frozen weights; embeddings; the three
    channels that a pretrained net is given; upsampling by a transposed convolution; a second layer that several
    branches share.

    Known to misfire: linear nets that are studied for themselves.

    Answered by: add-activation.

    Source: Goodfellow, Bengio & Courville 2016, "Deep Learning", section 6.1.
    """
    for second in flight.maps:
        if second.data is None:
            continue
        start = before(second.data, THROUGH, shifts=True)
        first = flight.map_at.get(id(start.maker))
        if first is None or start is not first.operation.output or first.weight is second.weight:
            continue
        if is_meant(flight, first, second) or not exclusive(flight.tape, start, second.data, second.operation):
            continue
        one, two = flight.layer(first), flight.layer(second)
        yield found(
            "missing-activation",
            "warning",
            two,
            f"No activation stands between {titled(one)} ({first.fan_in} → {first.units}) and {titled(two)} "
            f"({second.fan_in} → {second.units}).",
            why="Two linear maps in a row are one linear map: the second can express nothing that the first could not.",
            remedies=("add-activation",),
            layer=two,
            unit="layers in a row",
            measured=2.0,
            limit=1.0,
        )


def is_meant(flight: Flight, first: LinearMap, second: LinearMap) -> bool:
    """Whether two maps in a row are one of the forms that are used on purpose."""
    if first.data is None:
        return True
    if is_factor(map_of(first), map_of(second)):
        return True
    if any(one.weight is second.weight and weight_before(flight, one) is not first.weight for one in flight.maps):
        return True
    adapter = before(first.data, VIEWS).source == "input" and first.positions == 1 and first.units == 3
    return adapter or feeds_attention(flight, second.operation.output)


def weight_before(flight: Flight, one: LinearMap) -> Value | None:
    """The weight of the layer directly before, or None."""
    start = before(one.data, THROUGH, shifts=True) if one.data is not None else None
    found_map = flight.map_at.get(id(start.maker)) if start is not None else None
    return found_map.weight if found_map is not None else None


def map_of(one: LinearMap) -> Map:
    """A map as the distinctions among pairs see it."""
    leaf = one.weight.leaf
    return Map(
        units=one.units,
        inputs=one.fan_in // one.positions,
        kernel=tuple(one.weight.shape[2:]) if one.operation.name.startswith("conv") else (),
        groups=one.groups,
        transposed=one.transposed,
        trained=leaf is None or leaf.requires_grad,
    )


def feeds_attention(flight: Flight, value: Value) -> bool:
    """Whether a value goes to a product with another value of the sample, as queries, keys and values do."""
    return any(is_product(flight, operation) for operation in after(flight.tape, value, SPLITS))


def is_product(flight: Flight, operation: Operation) -> bool:
    """Whether an operation multiplies two values of the sample."""
    return operation.name in ATTENTION and id(operation) not in flight.map_at
