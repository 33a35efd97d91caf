"""What is wrong with a training, from vitals alone."""

from limen.findings.finding import CAUSES, REMEDIES, SYMPTOMS, Cause, Finding, Severity

__all__ = ["CAUSES", "REMEDIES", "SYMPTOMS", "Cause", "Finding", "Severity"]
