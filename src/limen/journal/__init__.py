"""The run file: what was seen, appended while the training runs, read back after any crash."""

from limen.journal.run import Run, Verdict

__all__ = ["Run", "Verdict"]
