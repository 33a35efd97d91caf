"""What is wrong with a training, from vitals alone."""

from limen.findings.advice import advice
from limen.findings.diagnose import diagnose, track
from limen.findings.finding import CAUSES, REMEDIES, SYMPTOMS, Cause, Finding, Severity
from limen.findings.grouping import Group, group
from limen.findings.indications import is_safe
from limen.findings.manual import kinds, page, pages
from limen.findings.thresholds import Thresholds

__all__ = [
    "CAUSES",
    "REMEDIES",
    "SYMPTOMS",
    "Cause",
    "Finding",
    "Group",
    "Severity",
    "Thresholds",
    "advice",
    "diagnose",
    "group",
    "is_safe",
    "kinds",
    "page",
    "pages",
    "track",
]
