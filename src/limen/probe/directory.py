"""Who is who: the models of a script, the paths of their modules and the names of their tensors."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from types import FrameType

from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from limen.anatomy import modules_in, name_root, name_tensors, plain_paths
from limen.probe.identity import ByIdentity

__all__ = ["Directory"]


class Directory:
    """Models in the order of their first training pass, and what their parts are called. Keeps none of them alive.

    Attributes:
        models: what the script calls them, each name once.
    """

    def __init__(self) -> None:
        self.models: list[str] = []
        self._places: ByIdentity[tuple[str, str]] = ByIdentity()  # of modules and parameters: their model and path
        self._ranks: ByIdentity[int] = ByIdentity()  # of parameters, in the order in which they were met
        self._meeting: tuple[weakref.ref[nn.Module], str] | None = None  # a model not all of whose parts have a name

    def meet(self, called: nn.Module, frame: FrameType | None) -> None:
        """Learn the model that ``called`` is or belongs to; parts that are none are only given a name."""
        if self.knows(called):
            return
        root = name_root(called, frame)
        if not is_model(root.top):
            self._places.put(called, ("", root.label))
            return
        label, plain = self._label(root.top, root.label), plain_paths(root.top)
        self._meeting = (weakref.ref(root.top), label)
        if label not in self.models:
            self.models.append(label)
        own = ""
        for path, module in root.top.named_modules():
            if module is called:
                own = plain(path)
            else:
                self._places.put(module, (label, plain(path)))
        for path, tensor in root.top.named_parameters():
            self._enter(tensor, (label, plain(path)))
        self._places.put(called, (label, own))  # last: until then the model may be met again
        self._meeting = None

    def _label(self, top: nn.Module, label: str) -> str:
        """What to call a model that is met for the first time, or once more after an interrupt."""
        if self._meeting is not None and self._meeting[0]() is top:
            return self._meeting[1]
        unique, number = label, 2
        while unique in self.models:
            unique, number = f"{label}{number}", number + 1
        return unique

    def name_loose(self, tensors: Iterable[Tensor], frame: FrameType | None) -> None:
        """Name tensors of no known model: after the model that a variable of the script holds, or after theirs."""
        loose = self.unknown(tensors)
        if not loose:
            return
        wanted = {id(tensor) for tensor in loose}
        for module in modules_in(frame).values():
            if any(id(parameter) in wanted for parameter in module.parameters()):
                self.meet(module, frame)
        loose = self.unknown(loose)
        names = name_tensors(loose, frame)
        for tensor in loose:
            self._enter(tensor, ("", names.get(id(tensor), f"tensor{len(self._ranks) + 1}")))

    def knows(self, module: nn.Module) -> bool:
        """Whether a module has a name."""
        return module in self._places

    def unknown(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Those that have no name yet."""
        return [tensor for tensor in tensors if tensor not in self._places]

    def tensors(self) -> Iterator[Tensor]:
        """All parameters that were met and still exist, in the order of their definition."""
        return self._ranks.things()

    def module(self, module: nn.Module | None) -> tuple[str, str]:
        """``(model, path)`` of a module; both empty for code outside of any model."""
        return ("", "") if module is None else self._places.get(module) or ("", type(module).__name__)

    def tensor(self, tensor: Tensor | None) -> tuple[str, str] | None:
        """``(model, path)`` of a parameter; None for one that was never met."""
        return None if tensor is None else self._places.get(tensor)

    def full(self, place: tuple[str, str]) -> str:
        """A path as reports print it: with the model's name in front when there are several models."""
        label, path = place
        if len(self.models) < 2 or not label:
            return path
        return f"{label}.{path}" if path else label

    def rank(self, tensor: Tensor) -> int:
        """Rank of a parameter along the forward pass, as far as the order of definition tells it."""
        rank = self._ranks.get(tensor)
        return len(self._ranks) if rank is None else rank

    def _enter(self, tensor: Tensor, place: tuple[str, str]) -> None:
        self._ranks.put(tensor, len(self._ranks))
        self._places.put(tensor, place)


def is_model(top: nn.Module) -> bool:
    """Whether a module learns something by itself; a parametrisation is called when it is made, before its model is."""
    return next(top.parameters(), None) is not None and not isinstance(top, ParametrizationList)
