"""What can be mended in the model itself, with a table of it and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from limen.activations import Activation, Identity
from limen.anatomy.tape import LinearMap
from limen.findings import Finding
from limen.preflight.chains import NORMS
from limen.preflight.flight import Flight
from limen.preflight.rules.dead_from_start import layer_of
from limen.preflight.rules.scale import RATIO
from limen.preflight.rules.symmetry import next_maps
from limen.theory import forward_gain

__all__ = ["Change", "Fix", "mend"]

HEADS = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid, nn.Tanh, nn.ReLU, nn.ReLU6, nn.Softplus, nn.Hardtanh, nn.Softsign)
RAW_SCORES = frozenset({"cross-entropy", "bce-with-logits"})
Undo = Callable[[], None]


@dataclass(frozen=True)
class Change:
    """One thing that was changed.

    Attributes:
        where: dotted path of the module or parameter.
        before: what it was, in few words.
        after: what it is now.
        finding: the name of what it answers.
    """

    where: str
    before: str
    after: str
    finding: str


@dataclass(frozen=True)
class Fix:
    """What ``fix()`` did.

    Attributes:
        changes: in the order in which they were made.
        left: what only its author can mend, one sentence each.
    """

    changes: tuple[Change, ...]
    left: tuple[str, ...]
    _undo: list[Undo] = field(repr=False, compare=False)

    def undo(self) -> None:
        """Put everything back, bit for bit."""
        while self._undo:
            self._undo.pop()()

    def __str__(self) -> str:
        lines = [f"- {one.where}: {one.before}\n+ {one.where}: {one.after}  ({one.finding})" for one in self.changes]
        lines += [f"  left as it is: {one}" for one in self.left]
        return "\n".join(lines) or "nothing to mend"


def mend(flight: Flight, findings: tuple[Finding, ...], generator: torch.Generator | None) -> Fix:
    """Mend what can be mended without a guess, and say what cannot."""
    changes: list[Change] = []
    left: list[str] = []
    undo: list[Undo] = []
    for one in findings:
        if one.severity == "info":
            continue
        made = list(attempt(flight, one, generator, undo))
        changes += made
        if not made:
            left.append(f"{one.name} at {one.where} ({', '.join(one.remedies)})")
    return Fix(tuple(changes), tuple(left), undo)


def attempt(flight: Flight, one: Finding, generator: torch.Generator | None, undo: list[Undo]) -> Iterator[Change]:
    """What is changed for one finding; nothing where it takes a decision."""
    module = module_at(flight.model, one.where)
    if one.name == "output-loss-mismatch":
        if isinstance(module, HEADS) and flight.losses and all(call.kind in RAW_SCORES for call in flight.losses):
            yield replaced(flight.model, one, nn.Identity(), undo)
    elif one.name == "wrong-activation":
        if module is not None and not list(module.children()) and not list(module.parameters()):
            yield replaced(flight.model, one, nn.Identity(), undo)
    elif one.name == "normalisation-misuse":
        if isinstance(module, nn.Dropout):
            yield replaced(flight.model, one, nn.AlphaDropout(module.p), undo)
    elif one.name == "no-gradient-path" and "avoid-in-place" in one.remedies:
        if module is not None and getattr(module, "inplace", None) is True:
            yield not_in_place(module, one, undo)
    elif one.name in ("bad-initialisation", "bad-bias", "dead-from-start"):
        yield from drawn_again(flight, one, generator, undo)


def module_at(model: nn.Module, path: str) -> nn.Module | None:
    """The module of that path below the model; None where there is none."""
    try:
        return model.get_submodule(path) if path else None
    except AttributeError:
        return None


def replaced(model: nn.Module, one: Finding, new: nn.Module, undo: list[Undo]) -> Change:
    """Put a module in the place of another."""
    owner, _, leaf = one.where.rpartition(".")
    parent, old = model.get_submodule(owner), model.get_submodule(one.where)
    new.train(old.training)
    setattr(parent, leaf, new)
    undo.append(lambda: setattr(parent, leaf, old))
    return Change(one.where, repr(old), repr(new), one.name)


def not_in_place(module: nn.Module, one: Finding, undo: list[Undo]) -> Change:
    """Let a module make a new tensor."""
    before = repr(module)
    held: dict[str, object] = vars(module)
    held["inplace"] = False
    undo.append(lambda: held.update(inplace=True))
    return Change(one.where, before, repr(module), one.name)


def drawn_again(flight: Flight, one: Finding, generator: torch.Generator | None, undo: list[Undo]) -> Iterator[Change]:
    """Draw the weights of a layer again, or of all layers where the finding is about them all."""
    stacked = one.unit == RATIO
    for found in flight.maps:
        function = activation_behind(flight, found)
        if function is None or not (stacked or flight.layer(found) == one.layer):
            continue
        if one.name != "bad-bias":
            yield from weight_drawn(found, function, one, generator, undo)
        yield from shifts_cleared(flight, found, one, undo)


def activation_behind(flight: Flight, found: LinearMap) -> Activation | None:
    """The activation behind a layer whose weights can be drawn again; the identity behind one that is not hidden."""
    leaf = found.weight.leaf
    if found.data is None or leaf is None or leaf.is_meta or not leaf.requires_grad or not found.exact:
        return None
    behind = next_maps(flight, found)
    return behind[0] if behind is not None else Identity()


def weight_drawn(
    found: LinearMap, function: Activation, one: Finding, generator: torch.Generator | None, undo: list[Undo]
) -> Iterator[Change]:
    """Normal weights at the scale that keeps the signal."""
    leaf = found.weight.leaf
    assert leaf is not None
    std = forward_gain(function) / found.fan_in**0.5
    before = f"std {float(leaf.detach().double().std()):.3g}"
    with torch.no_grad():
        new = torch.empty_like(leaf, device="cpu").normal_(0.0, std, generator=generator)
    yield written(found.weight.name, leaf, new, before, f"std {std:.3g}, drawn for {function.name}", one, undo)


def shifts_cleared(flight: Flight, found: LinearMap, one: Finding, undo: list[Undo]) -> Iterator[Change]:
    """Biases at zero: the layer's own, and that of a normalisation before the same activation."""
    shifts = [found.bias]
    if one.name == "bad-bias":
        shifts += [
            norm.argument("bias")
            for norm in flight.tape.operations
            if norm.name in NORMS
            and any(layer_of(flight, act) is found and norm.output in act.inputs for act in flight.activations)
        ]
    for shift in shifts:
        leaf = getattr(shift, "leaf", None)
        if shift is None or leaf is None or not leaf.requires_grad or not bool(leaf.detach().any()):
            continue
        before = f"mean {float(leaf.detach().double().mean()):.3g}"
        yield written(shift.name, leaf, torch.zeros_like(leaf), before, "0", one, undo)


@torch.no_grad()
def written(name: str, leaf: Tensor, new: Tensor, before: str, after: str, one: Finding, undo: list[Undo]) -> Change:
    """Write the entries of a parameter, and remember those before."""
    saved = leaf.detach().clone()

    def back() -> None:
        with torch.no_grad():
            leaf.copy_(saved)

    leaf.copy_(new)
    undo.append(back)
    return Change(name, before, after, one.name)
