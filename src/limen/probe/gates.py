"""Reads the gates of recurrent layers after they ran, on some sequences of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from limen.anatomy import RecurrentCall, recurrent_call
from limen.probe.identity import ByIdentity
from limen.probe.meter import Meter
from limen.probe.seen import Recurring
from limen.probe.site_book import SiteBook

__all__ = ["Gates"]

SAMPLES = 128  # batch times time that are computed again of one call; of larger batches only some sequences
CALLS = 16  # calls of one cell that are read in a step; of longer loops only some

UNKNOWN = "{name}: gates from layer 1 on are not seen, since what dropout hands to them cannot be computed again."


class Gates:
    """Finds and fills the sites of gates.

    Args:
        sites: where they are entered.
        meter: what reads them.
        note: told what cannot be seen.
        stumble: told of errors of limen's own; may raise.
    """

    def __init__(
        self,
        sites: SiteBook,
        meter: Meter,
        note: Callable[[str, str], None],
        stumble: Callable[[Exception, str], None],
    ) -> None:
        self._sites = sites
        self._meter = meter
        self._note = note
        self._stumble = stumble
        self._turn = 0  # steps so far: each begins with another sequence, so that all have theirs
        self._calls: ByIdentity[Count] = ByIdentity()

    def hear(self, seen: Recurring, result: Sequence[Tensor] | Tensor) -> None:
        """Enter the gates of a call that has returned, if it is a part of the training."""
        if not (result if isinstance(result, Tensor) else result[0]).requires_grad:
            return
        try:
            self._read(recurrent_call(seen.function, seen.arguments), seen.owner, result)
        except Exception as error:
            kind = "recurrent layer" if seen.owner is None else type(seen.owner).__name__
            self._stumble(error, f"The gates of a {kind} are not watched ({type(error).__name__}: {error}).")

    def _read(self, call: RecurrentCall, owner: nn.Module | None, result: Sequence[Tensor] | Tensor) -> None:
        if self._meter.is_out_of_reach(call.data):
            return
        stride = min(-(-call.positions // SAMPLES), call.sequences) or 1
        if call.single and owner is not None:
            stride = self._among_calls(owner, call.sequences)
        if not stride:
            return
        for gate in call.gates(result, self._turn % stride, stride):
            place = self._sites.find_gate(owner, gate)
            if place is None or place.trouble:
                continue
            self._meter.read_gate(place, gate.z, call.sequences)
        if call.unknown_layers:
            directory = self._sites.directory
            name = directory.full(directory.module(owner)) or call.kind.upper()
            self._note(f"gates of {name}", UNKNOWN.format(name=name))

    def close_step(self) -> None:
        """Begin anew with counting calls."""
        self._turn += 1
        for count in self._calls.values():
            count.close_step()

    def _among_calls(self, owner: nn.Module, sequences: int) -> int:
        """The stride among the sequences of this call of a cell; 0 to leave it out, as most of a long loop are."""
        count = self._calls.get(owner)
        if count is None:
            count = Count()
            self._calls.put(owner, count)
        return count.take(self._turn, sequences)


class Count:
    """The calls of one cell within a step; about as many are expected as in the last."""

    def __init__(self) -> None:
        self._now = self._last = 0

    def take(self, turn: int, sequences: int) -> int:
        """The stride among the sequences of the next call; 0 where it is left out."""
        every = -(-self._last // CALLS) or 1
        self._now += 1
        if (self._now + turn) % every:
            return 0
        calls = max(self._last // every, 1)
        return min(-(-sequences * calls // SAMPLES), sequences) or 1

    def close_step(self) -> None:
        """Begin anew."""
        self._last, self._now = self._now, 0
