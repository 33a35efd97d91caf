"""One pass over a tensor for all unit statistics: compiled where that is possible, in torch operations elsewhere."""

import functools
import os
from collections.abc import Callable

from limen.kernels import torch_norms, torch_pass
from limen.kernels.account import MOST_SAMPLES, Account, Row
from limen.kernels.compiled_account import CompiledAccount
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.compiled_samples import ENTRIES, RUN, CompiledSamples, Spot, stride_of
from limen.kernels.compiled_tally import CompiledKept, CompiledTally
from limen.kernels.device_pass import Launched, launch, launch_histogram, launch_norms
from limen.kernels.fetch import Fetched, is_capturing
from limen.kernels.ledger import Ledger
from limen.kernels.library import SWITCH, choose
from limen.kernels.reading import Reading, reading_of
from limen.kernels.rules import Rules
from limen.kernels.tally import Kept, Tally
from limen.kernels.torch_pass import Sums

__all__ = [
    "ENTRIES",
    "IN_USE",
    "MOST_SAMPLES",
    "RUN",
    "Account",
    "CompiledAccount",
    "CompiledKept",
    "CompiledSamples",
    "CompiledTally",
    "Fetched",
    "Kept",
    "Launched",
    "Ledger",
    "Reading",
    "Row",
    "Rules",
    "Spot",
    "Sums",
    "Tally",
    "account",
    "histogram",
    "is_capturing",
    "launch",
    "launch_histogram",
    "launch_norms",
    "measure",
    "norm",
    "norms",
    "reading_of",
    "samples",
    "stride_of",
]

_library, IN_USE = choose(os.environ.get(SWITCH))
"""Which kernels serve, and why: ``compiled (avx512)``."""

account: Callable[[Rules], Account | CompiledAccount]
"""Opens the account of a site."""

samples = None if _library is None else CompiledSamples(_library)
"""Keeps some entries of tensors and compares them; None where torch serves."""

if _library is None:
    account = Account
    measure, histogram = torch_pass.measure, torch_pass.histogram
    norm, norms = torch_norms.norm, torch_norms.norms
else:
    _compiled = CompiledPass(_library)
    account = functools.partial(CompiledAccount, kernels=_compiled)
    measure, histogram = _compiled.measure, _compiled.histogram
    norm, norms = _compiled.norm, _compiled.norms
