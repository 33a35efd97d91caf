"""A watch that looks at every step and raises errors of its own, and what tells two trainings apart."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from limen.kernels import IN_USE
from limen.probe import Budget, Probe
from limen.probe.quick import COMPILED
from limen.vitals import SiteVitals

HAS_QUICK = COMPILED and not IN_USE.startswith("torch")


@contextmanager
def watching(*models: nn.Module) -> Generator[Probe]:
    def fail(error: Exception) -> None:
        raise error

    probe = Probe(models or None, Budget(None), lambda step: None, fail, strict=True)
    try:
        yield probe
    finally:
        probe.close()


def bits(tensors: Iterable[Tensor]) -> list[bytes]:
    """What the tensors hold, and where the stream of random numbers stands."""
    held = [tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes() for tensor in tensors]
    return [*held, torch.get_rng_state().numpy().tobytes()]


def assert_seen(site: SiteVitals, tables: list[Tensor], left: Tensor, right: Tensor) -> None:
    """The account of a site is what float64 says of ``[samples, units]`` tables, one a step.

    ``left`` and ``right`` tell which entries of all the tables, one below the other, are flat on which side.
    """
    total, every = site.total, torch.cat(tables).double().numpy()
    assert (total.steps, total.samples, site.site.units) == (len(tables), *every.shape)
    assert site.history.samples.tolist() == [len(table) for table in tables]
    assert total.left.tolist() == left.sum(0).tolist()
    assert total.right.tolist() == right.sum(0).tolist()
    assert (total.low.tolist(), total.high.tolist()) == (every.min(0).tolist(), every.max(0).tolist())
    # sums are made in double: some hundred numbers of one size lose less than four digits of sixteen
    scale = np.abs(every).max() + 1.0
    np.testing.assert_allclose(total.moments.mean, every.mean(0), rtol=0, atol=1e-6 * scale)
    np.testing.assert_allclose(total.moments.variance, every.var(0), rtol=1e-6, atol=1e-6 * scale**2)
