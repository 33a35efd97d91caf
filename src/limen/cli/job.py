"""One ``limen run``, ready to start."""

from dataclasses import dataclass
from typing import NoReturn

from limen.cli.options import RunOptions
from limen.cli.watching import Watching
from limen.launch import Target, launch

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What to run and how to watch it.

    Attributes:
        target: the script or module.
        options: what was asked for.
    """

    target: Target
    options: RunOptions

    def start(self) -> NoReturn:
        """Run it; leaves the process with the script's exit code."""
        launch(self.target, Watching(self.target, self.options))
