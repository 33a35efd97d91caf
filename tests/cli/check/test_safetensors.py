"""Batches out of safetensors files: what is read, and what a hostile file cannot do."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch

from limen.cli.check.safetensors import batch_of, read
from limen.errors import InvalidValue
from tests.cli.check.batches import packed

HOSTILE = {
    "infinite size": {"a": {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 0]}},
    "sizes whose product overflows": {"a": {"dtype": "F32", "shape": [0, 2**40, 2**40], "data_offsets": [0, 0]}},
    "size beyond 64 bits": {"a": {"dtype": "F32", "shape": [0, 2**70], "data_offsets": [0, 0]}},
    "end beyond the file": {"a": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}},
    "offsets the other way round": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
    "type that is a list": {"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}},
}


def written(folder: Path, header: object, data: bytes = b"\0" * 4) -> Path:
    path = folder / "batch.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    held = {
        "a": torch.randn(3, 2),
        "b": torch.randn(4).bfloat16(),
        "c": torch.arange(6).reshape(2, 3),
        "d": torch.empty(0, 2),
    }
    path.write_bytes(packed(held))
    found = read(path)
    assert set(found) == set(held)
    for name, tensor in held.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert set(batch_of(found, path)[0]) == set(held)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a pickle",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 7) + b"{\"a\":1}",
        packed({"a": torch.randn(3)})[:-4],
        packed({"a": torch.randn(3)}).replace(b'"shape": [3]', b'"shape":[-3]'),
        packed({"a": torch.randn(3)}).replace(b"F32", b"F99"),
        struct.pack("<Q", 40_000) + b"[" * 40_000,
    ],
    ids=["empty", "pickle", "long", "list", "number", "cut", "negative", "type", "deep"],
)  # fmt: skip
def test_a_hostile_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidValue, match="this is no safetensors file"):
        read(path)


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_is_refused_in_words(header: object, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="this is no safetensors file"):
        read(written(tmp_path, header))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"nothing\.safetensors.*Name a \.safetensors file"):
        read(tmp_path / "nothing.safetensors")


def test_one_tensor_beside_the_target_is_the_sample() -> None:
    x, y = torch.zeros(2), torch.ones(2)
    assert batch_of({"labels": y, "pixels": x}, Path("b")) == (x, y)


def test_several_tensors_are_named_arguments() -> None:
    x, mask = torch.zeros(2), torch.ones(2)
    sample, target = batch_of({"x": x, "mask": mask}, Path("b"))
    assert sample == {"x": x, "mask": mask}
    assert target is None


def test_a_target_alone_is_no_batch() -> None:
    with pytest.raises(InvalidValue, match="it holds no input"):
        batch_of({"target": torch.zeros(2)}, Path("b"))
