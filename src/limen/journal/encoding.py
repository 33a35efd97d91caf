"""Values as JSON and arrays as bytes, and back from a file that may hold anything."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from limen.lasting import LastingArray
from limen.vitals import Narrow, OfFew

__all__ = ["Array", "array_of", "blob_of", "fields_of", "to_json", "value_of"]

Array = npt.NDArray[Any]

_FLOAT, _INTEGER = "<f8", "<i8"
_NONE = "="  # all numbers are the least
_NARROW = re.compile(r"(\|u1|<u2|<u4|<u8|=)([+-][0-9]{1,19})")  # type of what is added to the least, and the least
_LARGEST = 2**63  # an integer beyond it was not written by limen and overflows in the reader's arithmetic


def to_json(value: object) -> str:
    """As ASCII; dataclasses become objects, tuples lists; NaN and infinities are written as Python reads them."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a journal cannot hold a {type(value).__name__}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def fields_of(kind: type, raw: object, names: Iterable[str]) -> dict[str, Any]:
    """The named fields of a dataclass from a JSON object, each checked against its declared type.

    A field that is absent keeps its default.

    Raises:
        ValueError: a field is unknown, is missing without a default, or has the wrong type.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"{kind.__name__}: expected an object, found {type(raw).__name__}")
    given, expected = cast("dict[str, object]", raw), set(names)
    if not given.keys() <= expected:
        raise ValueError(f"{kind.__name__}: unknown field {min(given.keys() - expected)!r}")
    missing = dataclasses.MISSING
    for field in dataclasses.fields(kind):
        required = field.default is missing and field.default_factory is missing
        if required and field.name in expected and field.name not in given:
            raise ValueError(f"{kind.__name__}: field {field.name!r} is missing")
    return {name: value_of(_hints(kind)[name], value) for name, value in given.items()}


def value_of(kind: Any, raw: object) -> Any:
    """A value of a declared type from parsed JSON.

    Args:
        kind: str, int, float, bool, None, a Literal, a dataclass, or a union, ``tuple[x, ...]`` or ``dict[str, x]``
            of such.
        raw: what ``json.loads`` returned.

    Raises:
        ValueError: it is of another type.
    """
    origin = get_origin(kind)
    if origin is Literal and raw in get_args(kind):
        return raw
    if origin in (Union, types.UnionType):
        return _union_of(get_args(kind), raw)
    if origin is tuple and isinstance(raw, list):
        return tuple(value_of(get_args(kind)[0], entry) for entry in cast("list[object]", raw))
    if origin is dict and isinstance(raw, dict):
        return {name: value_of(get_args(kind)[1], entry) for name, entry in cast("dict[str, object]", raw).items()}
    if dataclasses.is_dataclass(kind):
        return cast("type", kind)(**fields_of(cast("type", kind), raw, (f.name for f in dataclasses.fields(kind))))
    if _is_plain(kind, raw):
        return raw
    raise ValueError(f"expected {getattr(kind, '__name__', kind)}, found {type(raw).__name__}")


def _union_of(kinds: tuple[Any, ...], raw: object) -> Any:
    for kind in kinds:
        try:
            return value_of(kind, raw)
        except ValueError:
            continue
    raise ValueError(f"expected one of {kinds}, found {type(raw).__name__}")


def _is_plain(kind: Any, raw: object) -> bool:
    """Whether ``raw`` may stand for a str, bool, int, float or None."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return kind in (int, float) and -_LARGEST <= raw < _LARGEST
    return type(raw) is kind


def blob_of(array: Array | LastingArray | Narrow | OfFew) -> tuple[str, bytes]:
    """What the bytes are, and the bytes, little-endian: of float64, of int64, or of what is kept ``Narrow``.

    Whether a narrower type would do is not found out here: numpy lets go of the interpreter for that, and beside a
    busy training loop it takes milliseconds to get it back.
    """
    if isinstance(array, OfFew):
        array = array.narrow()
    if isinstance(array, Narrow):
        return f"{_NONE if len(array.above) == 0 else array.above.dtype.str}{array.least:+d}", array.above.tobytes()
    dtype = _FLOAT if array.dtype.kind == "f" else _INTEGER
    numbers = array.open() if isinstance(array, LastingArray) else array
    return dtype, numbers.astype(dtype, copy=False).tobytes()


def array_of(dtype: object, data: object, length: int, kind: Literal["f", "i"]) -> Array:
    """``[length]``, float64 or int64 as ``kind`` says, from a blob.

    Raises:
        ValueError: the dtype is another, or the bytes are too few or too many.
    """
    name, least = _FLOAT if kind == "f" else _INTEGER, 0
    if kind == "i" and isinstance(dtype, str) and (narrow := _NARROW.fullmatch(dtype)):
        name, least = narrow[1], int(narrow[2])
        if not -_LARGEST <= least < _LARGEST:
            raise ValueError(f"array of {least:+d} and more")
        if name == _NONE and data == b"" and length >= 0:
            return np.full(length, least, dtype=np.int64)
        dtype = name
    expected = np.dtype(name if name != _NONE else _INTEGER)
    if dtype != expected.str or not isinstance(data, bytes):
        raise ValueError(f"array of {dtype!r} in a {type(data).__name__}")
    if len(data) != length * expected.itemsize:
        raise ValueError(f"array of {len(data)} bytes instead of {length} x {expected.itemsize}")
    found = np.frombuffer(data, dtype=expected)
    return found.astype(expected.newbyteorder("=")) if kind == "f" else found.astype(np.int64) + least
