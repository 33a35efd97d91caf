"""Reads a data frame from a file that R saved, without R."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import numpy.typing as npt

from limen.errors import InvalidValue

__all__ = ["Column", "read_frame"]

Column = npt.NDArray[np.float64]

OPENERS = {b"\xfd7z": lzma.decompress, b"BZh": bz2.decompress, b"\x1f\x8b\x08": gzip.decompress}
SYMBOL, PAIRS, LETTERS, INTEGERS, REALS, STRINGS, LIST = 1, 2, 9, 13, 14, 16, 19
REFERENCE, NOTHING = 255, 254
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400


class Reader:
    """Walks through R's serialisation, version 2, big-endian (R Internals, section 1.8)."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = len(b"RDX2\nX\n") + 12  # and three version numbers
        self.symbols: list[str] = []

    def integer(self) -> int:
        return int(self.numbers(">i4", 1)[0])

    def numbers(self, kind: str, count: int) -> npt.NDArray[np.generic]:
        found = np.frombuffer(self.content, kind, count, self.place)
        self.place += found.nbytes
        return found

    def item(self) -> object:
        """The next item: a dict for pairs, a list, an array, or a word."""
        flags = self.integer()
        kind = flags & 0xFF
        if kind == NOTHING:
            return {}
        if kind == SYMBOL:
            self.symbols.append(str(self.item()))
            return self.symbols[-1]
        if kind == REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == PAIRS:
            return self.pairs(flags)
        length = self.integer()
        if kind == LETTERS:
            return bytes(self.numbers("u1", max(length, 0))).decode()
        if kind in (INTEGERS, REALS):
            value: object = self.numbers(">i4" if kind == INTEGERS else ">f8", length).astype(np.float64)
        elif kind in (STRINGS, LIST):
            value = [self.item() for _ in range(length)]
        else:
            raise InvalidValue(f"The R file holds an item of kind {kind}, which is no part of a plain data frame.")
        if flags & HAS_ATTRIBUTES:
            attributes = self.item()
            if kind == LIST and isinstance(attributes, dict) and isinstance(value, list):
                return dict(zip(attributes["names"], value, strict=True))
        return value

    def pairs(self, flags: int) -> dict[str, object]:
        """A chain of tagged values."""
        found: dict[str, object] = {}
        while flags & 0xFF == PAIRS:
            if flags & HAS_ATTRIBUTES:
                self.item()
            tag = str(self.item()) if flags & HAS_TAG else ""
            found[tag] = self.item()
            flags = self.integer()
        return found


def read_frame(path: Path) -> dict[str, Column]:
    """The columns of the one data frame in an ``.rda`` file; a factor as its codes from 1.

    Raises:
        InvalidValue: not such a file (also a ``ValueError``).
    """
    packed = path.read_bytes()
    opener = OPENERS.get(packed[:3])
    content = opener(packed) if opener else packed
    if not content.startswith(b"RDX2\nX\n"):
        raise InvalidValue(f"{path} is not an R file of version 2 in its binary form. Install its package again.")
    frames = Reader(content).item()
    assert isinstance(frames, dict)
    return next(iter(frames.values()))
