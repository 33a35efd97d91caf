"""Safetensors files, made by hand."""

from __future__ import annotations

import json
import struct

import torch


def packed(tensors: dict[str, torch.Tensor]) -> bytes:
    """A safetensors file, written from the description of the format."""
    kinds = {torch.float32: "F32", torch.int64: "I64", torch.bfloat16: "BF16"}
    header, data = {}, b""
    for name, tensor in tensors.items():
        held = tensor.contiguous().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        header[name] = {
            "dtype": kinds[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(held)],
        }
        data += held
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + data
