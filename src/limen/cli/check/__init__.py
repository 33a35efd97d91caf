"""``limen check``: a model from a factory, a sample for it, and what the preflight says of both."""

from limen.cli.check.command import CheckOptions, check

__all__ = ["CheckOptions", "check"]
