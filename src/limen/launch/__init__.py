"""Runs an unmodified script as python itself would, with a companion at its side."""

from limen.launch.execute import Outcome, execute
from limen.launch.process import Companion, launch
from limen.launch.target import Target, module_target, script_target

__all__ = ["Companion", "Outcome", "Target", "execute", "launch", "module_target", "script_target"]
