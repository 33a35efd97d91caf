"""The run file: what was seen, appended while the training runs, read back after any crash."""

from limen.journal.run import Run, Verdict
from limen.journal.treatment import TreatmentRecord

__all__ = ["Run", "TreatmentRecord", "Verdict"]
