"""limen looks after the activation functions of a PyTorch training.

    with limen.watch(model, optimizer) as w:
        …
    print(w.diagnosis())

Everything public is loaded when it is first asked for, so that `import limen` is quick and loads neither torch nor
any optional package.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limen import activations as activations
    from limen import nn as nn
    from limen import theory as theory
    from limen.errors import LimenError as LimenError
    from limen.findings import Cause as Cause
    from limen.findings import Finding as Finding
    from limen.findings import diagnose as diagnose
    from limen.init import init_ as init_
    from limen.journal import Run as Run
    from limen.manual import explain as explain
    from limen.preflight import Preflight as Preflight
    from limen.preflight import preflight as preflight
    from limen.vitals import Vitals as Vitals
    from limen.watch import Watch as Watch
    from limen.watch import watch as watch

__version__ = "0.1.0"

__all__ = [
    "Cause",
    "Finding",
    "LimenError",
    "Preflight",
    "Run",
    "Vitals",
    "Watch",
    "__version__",
    "activations",
    "diagnose",
    "explain",
    "init_",
    "nn",
    "preflight",
    "theory",
    "watch",
]

_HOMES = {
    "Cause": "limen.findings",
    "Finding": "limen.findings",
    "LimenError": "limen.errors",
    "Preflight": "limen.preflight",
    "Run": "limen.journal",
    "Vitals": "limen.vitals",
    "Watch": "limen.watch",
    "diagnose": "limen.findings",
    "explain": "limen.manual",
    "init_": "limen.init",
    "preflight": "limen.preflight",
    "watch": "limen.watch",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'limen' has no attribute {name!r}. It has: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return sorted(__all__)


class _Face(ModuleType):
    """The package as a module whose public functions win over its own files of the same name.

    Loading the file ``limen/watch.py`` would otherwise set ``limen.watch`` to that file's module, and
    ``limen.watch(model)`` would fail or work depending on what had been imported before.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in _HOMES):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
