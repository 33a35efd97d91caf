"""R's files are read as R wrote them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from limen.errors import InvalidValue
from ward.data import LETTERS
from ward.r_data import read_frame


def word(text: str) -> bytes:
    return struct.pack(">ii", 9, len(text)) + text.encode()


def symbol(text: str) -> bytes:
    return struct.pack(">i", 1) + word(text)


PAIR, END = struct.pack(">i", 0x402), struct.pack(">i", 254)


def frame() -> bytes:
    """``data.frame(size = c(0.5, 2), kind = factor(c("b", "a")))``, from the description of the format."""
    size = struct.pack(">iidd", 14, 2, 0.5, 2.0)
    levels = PAIR + symbol("levels") + struct.pack(">ii", 16, 2) + word("a") + word("b")
    names = PAIR + symbol("names") + struct.pack(">ii", 16, 2) + word("size") + word("kind")
    kind = struct.pack(">iiii", 0x30D, 2, 2, 1) + levels + END
    value = struct.pack(">ii", 0x313, 2) + size + kind + names + END
    return b"RDX2\nX\n" + struct.pack(">iii", 2, 0x30402, 0x20300) + PAIR + symbol("Frame") + value + END


def test_columns_are_read_and_a_factor_is_its_codes(tmp_path: Path) -> None:
    (tmp_path / "frame.rda").write_bytes(gzip.compress(frame()))
    columns = read_frame(tmp_path / "frame.rda")
    np.testing.assert_array_equal(columns["size"], [0.5, 2.0])
    np.testing.assert_array_equal(columns["kind"], [2, 1])


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "frame.rda").write_bytes(b"size,kind")
    with pytest.raises(InvalidValue, match=r"is not an R file of version 2 in its binary form\. Install"):
        read_frame(tmp_path / "frame.rda")


def test_the_letters_are_twenty_thousand() -> None:
    """Their first row is that of the UCI repository: T, 2, 8, 3, 5, 1, 8, 13, 0, 6, 6, 10, 8, 0, 8, 0, 8."""
    found = next((path for path in LETTERS if path.exists()), None)
    if found is None:
        pytest.skip("needs Debian's package r-cran-mlbench: make ward-data fetches its data, without R")
    columns = read_frame(found)
    assert [len(column) for column in columns.values()] == [20_000] * 17
    assert [int(column[0]) for column in columns.values()] == [20, 2, 8, 3, 5, 1, 8, 13, 0, 6, 6, 10, 8, 0, 8, 0, 8]
