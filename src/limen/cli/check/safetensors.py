"""Reading a batch from a safetensors file. The file is treated as hostile: every figure in it is checked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from limen.errors import InvalidValue

__all__ = ["batch_of", "read"]

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
LONGEST = 100_000_000  # bytes of the header, as the format limits it
TARGETS = ("target", "targets", "label", "labels", "y")


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name.

    Raises:
        InvalidValue: there is no such file, or it is not a safetensors file (also a ``ValueError``).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidValue(f"--batch {path}: {error.strerror or error}. Name a .safetensors file.") from error
    try:
        length = int.from_bytes(content[:8], "little")
        if not 2 <= length <= min(LONGEST, len(content) - 8):
            raise ValueError("the length of its header is not that of one")
        header: Any = json.loads(content[8 : 8 + length])
        if not isinstance(header, dict):
            raise ValueError("its header is no table")
        known = cast("dict[str, Any]", header)
        data = bytearray(content[8 + length :])
        return {name: tensor_at(entry, data) for name, entry in known.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, RuntimeError) as error:
        raise InvalidValue(f"--batch {path}: this is no safetensors file ({error}).") from error


def tensor_at(entry: Any, data: bytearray) -> Tensor:
    """One tensor of a file."""
    dtype, shape, (start, end) = DTYPES[entry["dtype"]], [int(size) for size in entry["shape"]], entry["data_offsets"]
    count = math.prod(shape)
    size = torch.empty(0, dtype=dtype).element_size()
    if min([0, *shape]) < 0 or not 0 <= start <= end <= len(data) or end - start != count * size:
        raise ValueError(f"a tensor of shape {shape} does not lie where it is said to be")
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(data[start:end], dtype=dtype).clone().reshape(shape)


def batch_of(tensors: dict[str, Tensor], path: Path) -> tuple[Any, Tensor | None]:
    """The sample and the target of a file: ``target``, ``labels`` or ``y`` is the target, all else the sample.

    A single other tensor is the sample, whatever its name; several are named arguments.

    Raises:
        InvalidValue: there is nothing but a target (also a ``ValueError``).
    """
    target = next((tensors[name] for name in TARGETS if name in tensors), None)
    rest = {name: one for name, one in tensors.items() if name not in TARGETS}
    if not rest:
        raise InvalidValue(f"--batch {path}: it holds no input. Name one input, or as the model's arguments are.")
    name = next(iter(rest))
    return (rest[name] if len(rest) == 1 else rest), target
