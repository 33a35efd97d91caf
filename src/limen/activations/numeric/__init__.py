"""What can be found out about a function of one number by asking it for values: ``describe``."""

from limen.activations.numeric.describe import Description, describe

__all__ = ["Description", "describe"]
