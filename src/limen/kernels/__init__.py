"""One pass over a tensor for all unit statistics."""

from limen.kernels.torch_pass import Sums, histogram, measure

__all__ = ["Sums", "histogram", "measure"]
