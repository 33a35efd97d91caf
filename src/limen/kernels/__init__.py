"""One pass over a tensor for all unit statistics: compiled where that is possible, in torch operations elsewhere."""

import os

from limen.kernels import torch_norms, torch_pass
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import SWITCH, choose
from limen.kernels.torch_pass import Sums

__all__ = ["IN_USE", "Sums", "histogram", "measure", "norms"]

_library, IN_USE = choose(os.environ.get(SWITCH))
"""Which kernels serve, and why: ``compiled (avx512)``."""

if _library is None:
    measure, histogram, norms = torch_pass.measure, torch_pass.histogram, torch_norms.norms
else:
    _compiled = CompiledPass(_library)
    measure, histogram, norms = _compiled.measure, _compiled.histogram, _compiled.norms
