"""The only place with hooks: watches sites, calls kernels, fills vitals and keeps to its budget."""

from limen.probe.budget import ALLOWANCE, Budget
from limen.probe.probe import Probe

__all__ = ["ALLOWANCE", "Budget", "Probe"]
