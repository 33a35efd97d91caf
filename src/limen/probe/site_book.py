"""The sites of a training: found on the first step, named at its end, wired by the graph of its backward pass."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from limen.activations import Activation, get, of_class_name, of_module, tails
from limen.anatomy import (
    Consumer,
    Gate,
    Origin,
    Reader,
    Wiring,
    leads_to_weights,
    number_of,
    origin_of,
    readers_of,
    uses_of,
)
from limen.errors import InvalidValue
from limen.kernels import Ledger
from limen.probe.directory import Directory
from limen.probe.rows import Room
from limen.probe.seen import Seen
from limen.probe.site_record import SiteRecord
from limen.sites import Site
from limen.vitals import SiteVitals

__all__ = ["Place", "SiteBook"]

MOST_SITES = 4_096  # a model that makes new modules at every step must not fill the memory
TOO_MANY = f"There are more than {MOST_SITES:,} sites: the later ones are not watched."


@dataclass(eq=False)
class Place:
    """A site with its live surroundings."""

    record: SiteRecord
    owner: weakref.ref[nn.Module] | None
    origin: Origin
    own_module: bool  # the owner is itself an activation module
    squeezed: bool  # of one unit, whose axis was squeezed away: every entry is a sample
    gate: str = ""  # its name within the recurrent layer that owns it
    readers: tuple[Reader, ...] = ()
    made_by: weakref.ref[Tensor] | None = None  # the weight of its origin, also after that was let go
    shared: bool = False  # a weight around it is used elsewhere too: editing it would change more than this site
    after: int | None = None  # number of the graph node of its result, until the first backward pass
    settled: bool = False
    trouble: str = ""  # since when and why it is no longer watched, after an error of limen's own
    owner_name: tuple[str, str] = ("", "")  # model and path, which outlive the module
    layer_name: tuple[str, str] | None = None
    norm_name: tuple[str, str] | None = None

    def owner_is(self, module: nn.Module | None) -> bool:
        """Whether ``module`` applies the function here; None stands for code outside of any module."""
        return (None if self.owner is None else self.owner()) is module and (self.owner is None) == (module is None)

    def may_be_of(self, module: nn.Module | None) -> bool:
        """Whether ``module`` applies the function here, or has taken the place of one that lived for one call."""
        return self.owner_is(module) or (self.owner is not None and module is not None and self.owner() is None)


class SiteBook:
    """Finds the place of each application of an activation, and writes down new ones.

    Attributes:
        ledger: of the accounts of all places.
        lock: of that; the library writes while other threads run.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.places: list[Place] = []
        self.outside = False  # some site is outside of any module
        self.compiled = False  # some site is in compiled code
        self._is_full = False
        self._room = Room()
        self.ledger = Ledger()
        self.lock = threading.RLock()  # of the ledger, which the library writes while other threads run
        self._by_call: dict[tuple[int, str, int], Place] = {}
        self.fresh: list[Place] = []  # met since the last call of ``settle``

    def find(self, seen: Seen) -> Place | None:
        """The place of a call; a new one where it is met for the first time; None once there are too many."""
        key = (id(seen.owner), seen.activation.name, seen.call)
        if seen.applied is not None:  # one graph may run for several modules, each with its own weights
            applied, inputs = seen.applied
            key = (id(inputs[applied.weights[0]] if applied.weights[0] >= 0 else seen.owner), *key[1:])
        place = self._by_call.get(key)
        if place is not None and place.owner_is(seen.owner):
            return place
        if self._fills_up():
            return None
        place = self._by_call[key] = self._meet(seen)
        return place

    def _meet(self, seen: Seen) -> Place:
        """A repeated call on the output of the same weights is the same site: the steps of a loop are samples."""
        self._let_go()
        applied, inputs = seen.applied or (None, ())
        origin = origin_of(seen.z) if applied is None else applied.origin_in(inputs)
        if origin.weight is not None:
            for place in self.places:
                made = None if place.made_by is None else place.made_by()
                same_call = place.may_be_of(seen.owner) and place.record.site.function == seen.activation.name
                if same_call and made is origin.weight and place.origin.through == origin.through:
                    place.owner = None if seen.owner is None else weakref.ref(seen.owner)
                    return place
        made = None if origin.weight is None or not seen.z.ndim else origin.weight.shape[origin.unit_axis]
        squeezed = made == 1 and seen.z.shape[origin.axis] != 1
        site = replace(
            self._nameless(seen.activation, 1 if squeezed or not seen.z.ndim else seen.z.shape[origin.axis]),
            call=seen.call if applied is None else applied.call,
            axis=-1 if squeezed or not seen.z.ndim else origin.axis,
            head=applied is not None and applied.head,
        )
        if not site.units:
            raise InvalidValue(f"a {site.function} of {tuple(seen.z.shape)} has no units: give it at least one.")
        owner = None if seen.owner is None else weakref.ref(seen.owner)
        self.outside = self.outside or owner is None
        place = Place(SiteRecord(site, self._room), owner, origin, is_activation(seen.owner), squeezed)
        place.made_by = None if origin.weight is None else weakref.ref(origin.weight)
        if applied is not None:
            self.compiled = True
            place.readers, place.shared = applied.readers_in(inputs), applied.shared
        return self._entered(place)

    def find_gate(self, owner: nn.Module | None, gate: Gate) -> Place | None:
        """The place of a gate within a recurrent layer; None once there are too many."""
        units = gate.z.shape[-1]
        key = (id(owner), gate.name, units)
        place = self._by_call.get(key)
        if place is not None and place.owner_is(owner):
            return place
        if self._fills_up():
            return None
        self._let_go()
        site = self._nameless(get(gate.function), units)
        held = None if owner is None else weakref.ref(owner)
        origin = Origin(None, 0, None, None, site.axis, direct=False)
        place = self._by_call[key] = Place(SiteRecord(site, self._room), held, origin, own_module=False, squeezed=False)
        place.gate = gate.name
        return self._entered(place)

    def _entered(self, place: Place) -> Place:
        with self.lock:
            self.fresh.append(place)
            self.places.append(place)
            self.take()
            self._open_accounts()
        return place

    def _open_accounts(self) -> None:
        """Enter the accounts of new places into the ledger, from which all rows were taken."""
        for place in self.places[len(self.ledger) :]:
            self.ledger.enter(place.record.account)

    def _fills_up(self) -> bool:
        """Whether there is no place for another site; noted."""
        self._is_full = len(self.places) >= MOST_SITES
        return self._is_full

    def _nameless(self, activation: Activation, units: int) -> Site:
        """A new site on the last axis, before its name and its surroundings are known."""
        flat = tails(activation)
        return Site(
            name=f"site{len(self.places)}",
            path="",
            function=activation.name,
            call=1,
            units=units,
            axis=-1,
            layer=None,
            norm=None,
            order=len(self.places),
            head=False,
            flat_left=flat.left,
            flat_right=flat.right,
            dead_left=flat.dead_left,
            monotone=activation.monotone,
        )

    def _let_go(self) -> None:
        """Do not keep the weights of models alive that the script has dropped."""
        for place in self.places:
            if place.settled and place.owner is not None and place.owner() is None:
                place.origin, place.readers = place.origin.forgotten(), ()

    def wire(self, parents: dict[Any, list[Any]]) -> None:
        """Read from a backward graph what follows each new place."""
        uses, nodes = uses_of(parents), {number_of(node): node for node in parents}
        for place in self.fresh:
            after = nodes.get(place.after)
            if after is not None:
                place.readers = readers_of(parents, after, place.record.site.axis)
                around = [place.origin.weight, *(reader.weight for reader in place.readers)]
                place.shared = any(uses.get(id(weight), 0) > 1 for weight in around)
                head = not leads_to_weights(parents, after)
                place.record.site = replace(place.record.site, head=head)
                place.after = None

    def go_on(self) -> None:
        """Weights follow on all places so far: a model compiled in several graphs goes on in another."""
        for place in self.places:
            place.record.site = replace(place.record.site, head=False)

    def records(self) -> list[SiteRecord]:
        """The accounts of the sites that have a name, in forward order."""
        with self.lock:
            self.take()
            return [place.record for place in self.places if place.settled]

    def vitals(self) -> tuple[SiteVitals, ...]:
        """Copies as values."""
        with self.lock:
            return tuple(record.vitals() for record in self.records())

    def commit(self, step: int, *, entire: bool = False) -> None:
        """Close a step at all places; ``entire`` where more than rows is to be kept of it."""
        with self.lock:
            if self.ledger.is_full or len(self.ledger) < len(self.places):  # an interrupt came in between
                self.take()
                self._open_accounts()
            if self.ledger.commit(step) or entire:
                self.take()

    def take(self) -> None:
        """Hand the records what the ledger has kept for them."""
        numbers, rows = self.ledger.take()
        if len(numbers):
            for place, own in zip(self.places, rows, strict=False):  # of the last an interrupt may have left no account
                place.record.enter(numbers, own)

    def troubles(self) -> list[str]:
        """What is no longer watched, for the reader of the report."""
        broken = [place for place in self.places if place.trouble]
        lost = [TOO_MANY] if self._is_full else []
        return [*(f"{place.record.site.name} is no longer watched {place.trouble}." for place in broken), *lost]

    def settle(self) -> None:
        """Name the new places, at the end of the step in which they were met."""
        if not self.fresh:
            return
        for place in self.fresh:
            place.after = None
            place.owner_name = self.directory.module(place.owner() if place.owner else None)
            place.layer_name = self._layer(place.origin.weight)
            place.norm_name = self._layer(place.origin.norm[0]) if place.origin.norm else None
        stems = [self._stem(place) for place in self.places]
        for place, stem in zip(self.places, stems, strict=True):
            if place.settled:
                continue  # a name once given stays, whatever is met later
            number = 1 + sum(other == stem for other in stems[: place.record.site.order])
            alone = (place.own_module or place.gate) and stems.count(stem) == 1
            place.record.site = replace(
                place.record.site,
                name=stem if alone else f"{stem}#{number}",
                path=place.owner_name[1],
                layer=None if place.layer_name is None else self.directory.full(place.layer_name),
                norm=None if place.norm_name is None else self.directory.full(place.norm_name),
                model=place.owner_name[0],
            )
            place.settled = True
        self.fresh = []

    def _stem(self, place: Place) -> str:
        """The path of an activation module; of another owner, with the function behind it."""
        full = self.directory.full(place.owner_name)
        inner = place.gate or place.record.site.function
        return full if place.own_module and full else ".".join(filter(None, (full, inner)))

    def _layer(self, weight: Tensor | None) -> tuple[str, str] | None:
        named = self.directory.tensor(weight)
        return None if named is None else (named[0], named[1].rpartition(".")[0] or named[1])

    def wiring(self, name: str, initial_std: Callable[[Tensor], float]) -> Wiring | None:
        """Live handles around the site of this name; None where there is none."""
        place = next((place for place in self.places if place.record.site.name == name), None)
        if place is None:
            return None
        origin = place.origin
        usable = origin.weight if origin.unit_axis == 0 and origin.direct and not place.shared else None
        scale, shift = origin.norm or (None, None)
        return Wiring(
            site=place.record.site,
            weight=usable,
            bias=origin.bias,
            norm_weight=scale,
            norm_bias=shift,
            initial_std=0.0 if usable is None else initial_std(usable),
            consumers=tuple(self._consumers(place)),
        )

    def _consumers(self, place: Place) -> list[Consumer]:
        units = place.record.site.units
        found: list[Consumer] = []
        for reader in place.readers:
            entries = reader.weight.shape[reader.input_axis]
            if reader.input_axis != 1 or entries % units:
                return []
            name = self.directory.tensor(reader.weight)
            found.append(Consumer(self.directory.full(name) if name else "", reader.weight, entries // units))
        return found


def is_activation(module: nn.Module | None) -> bool:
    """Whether a module is an activation itself, not one that calls some."""
    return module is not None and (of_module(module) is not None or of_class_name(type(module).__name__) is not None)
