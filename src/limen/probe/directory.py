"""Who is who: the models of a script, the paths of their modules and the names of their tensors."""

from __future__ import annotations

from collections.abc import Iterable
from types import FrameType

from torch import Tensor, nn

from limen.anatomy import Root, modules_in, name_root, name_tensors

__all__ = ["Directory"]


class Directory:
    """Models in the order of their first training pass, and what their parts are called."""

    def __init__(self) -> None:
        self.models: list[Root] = []
        self._modules: dict[int, tuple[int, str]] = {}  # id of a module: its model and path
        self._tensors: dict[int, tuple[int, str]] = {}  # id of a parameter: its model and path
        self._loose: dict[int, str] = {}  # id of a tensor or module outside of any model: the variable that holds it
        self._keep: list[object] = []  # keeps ids from being given to something else

    def meet(self, called: nn.Module, frame: FrameType | None) -> None:
        """Learn the model that ``called`` is or belongs to; a module without parameters is only given a name."""
        if self.knows(called):
            return
        root = name_root(called, frame)
        if next(root.top.parameters(), None) is None:
            self._loose[id(called)] = root.label
            self._keep.append(called)
            return
        label = root.label
        taken = {model.label for model in self.models}
        number = 2
        while label in taken:
            label, number = f"{root.label}{number}", number + 1
        index = len(self.models)
        self.models.append(Root(label, root.top))
        for path, module in root.top.named_modules():
            self._modules.setdefault(id(module), (index, path))
        for path, tensor in root.top.named_parameters():
            self._tensors.setdefault(id(tensor), (index, path))
        self._modules.setdefault(id(called), (index, ""))

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
        for number, tensor in enumerate(loose, start=len(self._loose) + 1):
            self._loose[id(tensor)] = names.get(id(tensor), f"tensor{number}")
            self._keep.append(tensor)

    def knows(self, module: nn.Module) -> bool:
        """Whether a module has a name."""
        return id(module) in self._modules or id(module) in self._loose

    def unknown(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Those that have no name yet."""
        return [tensor for tensor in tensors if id(tensor) not in self._tensors and id(tensor) not in self._loose]

    def module(self, module: nn.Module | None) -> tuple[str, str]:
        """``(model label, path)`` of a module; both empty for code outside of any model."""
        if module is None:
            return "", ""
        if id(module) in self._modules:
            index, path = self._modules[id(module)]
            return self.models[index].label, path
        return "", self._loose.get(id(module), type(module).__name__)

    def tensor(self, tensor: Tensor | None) -> tuple[str, str] | None:
        """``(model label, path)`` of a parameter; None for one that was never met."""
        if tensor is None:
            return None
        if id(tensor) in self._tensors:
            index, path = self._tensors[id(tensor)]
            return self.models[index].label, path
        name = self._loose.get(id(tensor))
        return None if name is None else ("", name)

    def full(self, place: tuple[str, str]) -> str:
        """A path as reports print it: with the model's name in front when there are several models."""
        label, path = place
        if len(self.models) < 2 or not label:
            return path
        return f"{label}.{path}" if path else label

    def position(self, tensor: Tensor) -> int:
        """Rank of a parameter along the forward pass, as far as the order of definition tells it."""
        ids = list(self._tensors) + list(self._loose)
        return ids.index(id(tensor)) if id(tensor) in ids else len(ids)
