"""Which two maps in a row are one map on purpose."""

import pytest

from limen.anatomy import Map, is_factor

SQUARE = Map(64, 64)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Map(8, 512), Map(512, 8)),  # LoRA
        (Map(2, 128), Map(128, 2)),  # a code
        (Map(24, 144, (1, 1)), Map(144, 24, (1, 1))),  # between inverted bottlenecks
        (Map(32, 32, (3, 3), groups=32), Map(64, 32, (1, 1))),  # depthwise separable
        (Map(64, 32, (1, 1)), Map(64, 64, (3, 3), groups=64)),
        (Map(64, 64, (1, 7)), Map(64, 64, (7, 1))),
        (Map(8, 512, (3, 3)), Map(8, 8, (1, 1))),  # before the quantisation of an autoencoder
        (Map(32, 64, (2, 2), transposed=True), Map(32, 32, (3, 3))),
        (Map(64, 64, trained=False), SQUARE),
        (SQUARE, Map(10, 64, trained=False)),
    ],
)
def test_forms_that_are_used_on_purpose(first: Map, second: Map) -> None:
    assert is_factor(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SQUARE, SQUARE),
        (Map(128, 784), Map(10, 128)),
        (Map(512, 8), Map(8, 512)),  # through more units, not fewer
        (Map(64, 64), Map(64, 64)),  # as many units as inputs are no bottleneck
        (Map(16, 3, (3, 3)), Map(32, 16, (3, 3))),
        (Map(16, 16, (1, 1)), Map(16, 16, (1, 1))),
        (Map(8, 16, (3, 3)), Map(4, 128)),  # flattened
        (Map(64, 64, (1, 7)), Map(64, 64, (1, 7))),
        (Map(32, 64, (2, 2), transposed=True), Map(32, 32, (2, 2), transposed=True)),
    ],
)
def test_what_is_left_is_one_map_too_many(first: Map, second: Map) -> None:
    assert not is_factor(first, second)
