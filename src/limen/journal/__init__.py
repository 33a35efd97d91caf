"""The run file: what was seen, appended while the training runs, read back after any crash."""

from limen.journal.merging import merge, read_all, with_rank_note
from limen.journal.reader import read
from limen.journal.run import Run, Verdict
from limen.journal.treatment import TreatmentRecord
from limen.journal.writer import Journal

__all__ = ["Journal", "Run", "TreatmentRecord", "Verdict", "merge", "read", "read_all", "with_rank_note"]
