"""Numbers on their way from a device: nobody waits for them."""

from __future__ import annotations

import torch
from torch import Tensor

from limen.kernels.torch_pass import Floats

__all__ = ["Fetched", "is_capturing"]


class Fetched:
    """A small tensor that is being copied to the host.

    On CUDA the copy goes to pinned memory in the order of the current stream, and nothing is synchronised until
    ``numbers`` is called. Other devices copy when ``numbers`` is called.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._host = tensor.detach()
        self._event: torch.cuda.Event | None = None
        if tensor.is_cuda:
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record(torch.cuda.current_stream(tensor.device))

    @property
    def has_arrived(self) -> bool:
        """Whether ``numbers`` needs no waiting."""
        return self._event is None or self._event.query()

    def numbers(self) -> Floats:
        """The tensor as an array, once it is there."""
        if self._event is not None:
            self._event.synchronize()
        return self._host.to("cpu", torch.float64).numpy()


def is_capturing(tensor: Tensor) -> bool:
    """Whether a CUDA graph is being recorded, which nothing may be added to."""
    return tensor.is_cuda and torch.cuda.is_current_stream_capturing()
