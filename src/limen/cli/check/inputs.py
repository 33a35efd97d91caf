"""What a model is called with: a shape as it is written on the command line, or a guess from its first layer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from limen.errors import InvalidValue

__all__ = ["guesses", "tensor_of"]

FORM = re.compile(r"(?P<sizes>\d+([x,]\d+)*)(:(?P<dtype>[a-z]+\d*))?(<(?P<below>\d+))?")
DTYPES = {
    "float32": torch.float32, "float64": torch.float64, "float16": torch.float16, "bfloat16": torch.bfloat16,
    "int64": torch.int64, "int32": torch.int32, "bool": torch.bool, "float": torch.float32, "int": torch.int64,
    "long": torch.int64,
}  # fmt: skip
LARGEST = 2**31  # entries; more is a slip of the keyboard
SIDES = (32, 64, 224, 28)  # pixels that are tried for a convolution


def tensor_of(text: str, model: nn.Module) -> Tensor:
    """The tensor that ``2x3x224x224``, ``8x16:int64`` or ``8x16:int64<50257`` asks for.

    Real numbers are drawn from N(0, 1); integers below the size of the model's first embedding, or the number given.
    Without a type the first layer decides: integers where it is an embedding.

    Raises:
        InvalidValue: the text is no shape (also a ``ValueError``).
    """
    found = FORM.fullmatch(text.strip().lower())
    if found is None or (found["dtype"] and found["dtype"] not in DTYPES):
        raise InvalidValue(
            f"--input {text}: expected sizes, and a type where it matters: 2x3x224x224, 8x16:int64, 8x16:int64<50257. "
            f"Types: {', '.join(DTYPES)}."
        )
    sizes = [int(size) for size in re.split("[x,]", found["sizes"])]
    count = math.prod(sizes)
    if not 0 < count < LARGEST:
        raise InvalidValue(f"--input {text}: {count:,} numbers; expected more than none and less than {LARGEST:,}.")
    first = first_layer(model)
    usual = torch.int64 if found["below"] or isinstance(first, nn.Embedding) else type_of(first)
    return drawn(sizes, DTYPES.get(found["dtype"] or "", usual), int(found["below"] or vocabulary(model)))


def drawn(sizes: list[int], dtype: torch.dtype, below: int) -> Tensor:
    """Random numbers that are the same each time."""
    generator = torch.Generator().manual_seed(0)
    if dtype.is_floating_point:
        return torch.randn(sizes, generator=generator).to(dtype)
    return torch.randint(0, max(2 if dtype == torch.bool else below, 1), sizes, generator=generator).to(dtype)


def type_of(layer: nn.Module | None) -> torch.dtype:
    """The type of the numbers that a layer computes with."""
    held = next(layer.parameters(recurse=False), None) if layer is not None else None
    return held.dtype if held is not None and held.is_floating_point() else torch.float32


def first_layer(model: nn.Module) -> nn.Module | None:
    """The first module with weights of its own, as they are registered."""
    return next((one for one in model.modules() if list(one.parameters(recurse=False))), None)


def vocabulary(model: nn.Module) -> int:
    """Size of the first embedding; 2 without one."""
    return next((one.num_embeddings for one in model.modules() if isinstance(one, nn.Embedding)), 2)


def guesses(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Samples that the model's first layer could take, with the ``--input`` that would say the same."""
    for text in shapes(first_layer(model)):
        yield text, tensor_of(text, model)


def shapes(first: nn.Module | None) -> Iterator[str]:
    """Shapes that a layer could take."""
    if isinstance(first, nn.Linear):
        yield f"32x{first.in_features}"
        yield f"8x16x{first.in_features}"
    elif isinstance(first, nn.Conv2d):
        yield from (f"4x{first.in_channels}x{side}x{side}" for side in SIDES)
    elif isinstance(first, nn.Conv1d):
        yield from (f"8x{first.in_channels}x{length}" for length in (128, 1024))
    elif isinstance(first, nn.Conv3d):
        yield f"2x{first.in_channels}x16x32x32"
    elif isinstance(first, nn.ConvTranspose2d):
        yield from (f"4x{first.in_channels}x{side}x{side}" for side in (1, 4))
    elif isinstance(first, nn.Embedding):
        yield f"4x16:int64<{first.num_embeddings}"
    elif isinstance(first, nn.RNNBase):
        yield f"8x16x{first.input_size}"
    elif isinstance(first, nn.BatchNorm1d):
        yield f"32x{first.num_features}"
