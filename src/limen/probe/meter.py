"""Reads the tensors that come by on a step that is looked at."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from limen.kernels import Fetched, histogram, is_capturing, launch, launch_histogram, launch_norms, measure, norm
from limen.probe.backlog import Backlog
from limen.probe.ear import listen
from limen.probe.inputs import InputAccount
from limen.probe.keywords import keywords_of
from limen.probe.quick import State
from limen.probe.site_book import Place, SiteBook
from limen.probe.site_record import SiteRecord
from limen.vitals import Histogram

__all__ = ["Meter"]

FIRST_HISTOGRAMS = (1, 2, 5, 10, 20, 35, 50)
LATER_HISTOGRAMS = 1.3  # each later one at so many times the step of the one before

CAPTURING = "Steps that a CUDA graph records and replays are not seen: nothing may be added to it."

OnGradient = Callable[[Place, Tensor | None], None]


class Meter:
    """Measures pre-activations, their gradients and the model's inputs, and counts samples.

    Attributes:
        inputs: the scale of the first model's input.
        samples: training samples in the steps looked at.
        state: where those of the current step are counted.
    """

    def __init__(self, sites: SiteBook, backlog: Backlog, state: State, note: Callable[[str, str], None]) -> None:
        self.inputs = InputAccount(backlog)
        self.samples = 0
        self._factor: Fetched | None = None
        self._sites = sites
        self._backlog = backlog
        self.state = state
        self._note = note
        self._entry: weakref.ref[nn.Module] | None = None  # the module through which data enters
        self._next_histogram = 0

    def open_step(self, step: int) -> None:
        """Begin a step that is looked at."""
        self.state.takes_histogram = step >= self._next_histogram

    @property
    def takes_histogram(self) -> bool:
        """Whether the current step is one whose histograms are kept."""
        return self.state.takes_histogram

    def open_pass(self, factor: Fetched | None) -> None:
        """Begin with a backward pass whose gradients a gradient scaler has enlarged so many times."""
        self._factor, self.state.is_scaled = factor, factor is not None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the accounts of sites is wanted now, and nothing was scaled."""
        return not (self.state.takes_histogram or self.state.is_scaled or self._backlog)

    @property
    def entry(self) -> weakref.ref[nn.Module] | None:
        """The module through which data enters, held weakly, once nothing is read of that but its size."""
        return self._entry if self.inputs.is_known else None

    def goes_on(self, module: nn.Module, args: tuple[Any, ...]) -> bool:
        """Enter the arguments of a call of the module that data came in through so far; False for another."""
        if self._entry is None or self._entry() is not module:
            return False
        self.read_input(module, args)
        return True

    def read_input(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Enter the arguments of a call of the first model, or of the part of it through which data enters."""
        if self._entry is None:
            self._entry = weakref.ref(module)
        if self._entry() is not module:  # another part of it, which reads what that one made
            return
        first = args[0] if args else None
        if type(first) is not Tensor:
            first = next((value for value in args or keywords_of(module) if isinstance(value, Tensor)), None)
        if first is not None and first.ndim:
            self.state.batch += first.size(0)  # a nested tensor has no shape
            self.inputs.add(first)

    def read(self, place: Place, z: Tensor, on_gradient: OnGradient) -> None:
        """Measure a pre-activation now, and have ``on_gradient`` told of its gradient in the backward pass."""
        record, site = place.record, place.record.site
        made = z
        if place.squeezed:
            z = z.unsqueeze(-1)
        self.count(place, z)
        if z.ndim == 0 or not -z.ndim <= site.axis < z.ndim or z.shape[site.axis] != site.units:
            self._note(
                site.name, f"{site.name}: a call with {tuple(z.shape)} instead of {site.units} units was left out."
            )
            return
        if self.is_out_of_reach(z):
            return
        (self._read_here if z.is_cpu else self._read_there)(record, z)
        listen(made, partial(on_gradient, place))

    def count(self, place: Place, z: Tensor) -> None:
        """Count the samples of a call, if it is of the first site."""
        if self.is_first(place) and z.ndim:
            self.state.samples += z.shape[0]

    def is_first(self, place: Place) -> bool:
        """Whether samples are counted at a place."""
        return place is self._sites.places[0]

    def is_out_of_reach(self, z: Tensor) -> bool:
        """Whether a CUDA graph records what is done with a tensor; noted."""
        if is_capturing(z):
            self._note("capturing", CAPTURING)
            return True
        return False

    def read_gate(self, place: Place, z: Tensor, sequences: int) -> None:
        """Measure ``[samples, units]`` that were computed again, of a call on so many sequences."""
        if self.is_first(place):
            self.state.samples += sequences
        (self._read_here if z.is_cpu else self._read_there)(place.record, z)

    def read_gradient(self, place: Place, gradient: Tensor | None) -> None:
        """Enter the gradient at a site's input."""
        if gradient is None or gradient.is_sparse or is_capturing(gradient):
            return
        add, factor = place.record.add_gradient, self._factor
        if gradient.is_cpu:
            self._backlog.do(partial(add, norm(gradient.detach()) / number_of(factor)))
            return
        found = launch_norms([gradient])
        self._backlog.do(lambda: add(float(found.numbers()[0]) / number_of(factor)), found)

    def _read_here(self, record: SiteRecord, z: Tensor) -> None:
        if self._backlog:  # a part of this model is on a device: what was seen there before is entered before
            site = record.site
            sums = measure(z, site.axis, site.flat_left, site.flat_right)
            self._backlog.do(partial(record.add_sums, sums))
        else:
            record.add(z)
        if self.takes_histogram:
            self._backlog.do(partial(record.add_histogram, Histogram.of_cells(histogram(z))))

    def _read_there(self, record: SiteRecord, z: Tensor) -> None:
        """Have the device read a tensor; its numbers are entered when they have arrived."""
        if z.numel() == 0:
            return
        site = record.site
        launched = launch(z, site.axis, site.flat_left, site.flat_right)
        self._backlog.do(lambda: record.add_sums(launched.sums()), launched.fetched)
        if self.takes_histogram:
            cells = launch_histogram(z)
            self._backlog.do(lambda: record.add_histogram(Histogram.of_cells(cells.numbers().astype(np.int64))), cells)

    def plain_steps(self, step: int) -> int:
        """How many steps, from this one on, have no histograms."""
        return max(self._next_histogram - step, 0)

    def close_step(self, step: int) -> None:
        """Count the samples of a step that was looked at, and choose when histograms are taken next."""
        self.samples += self.state.batch or self.state.samples
        if not self.state.batch:  # the training goes on with another part of the model
            self._entry = None
        self.state.batch = self.state.samples = 0
        if self.takes_histogram:
            later = [first for first in FIRST_HISTOGRAMS if first > step]
            self._next_histogram = later[0] if later else int(step * LATER_HISTOGRAMS)


def number_of(factor: Fetched | None) -> float:
    """A factor that may still be on its way; 1 where there is none."""
    return 1.0 if factor is None else float(factor.numbers())
