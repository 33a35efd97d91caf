"""The command line: reads what was asked for, hands it to the room that does it, prints what comes back."""

from limen.cli.app import app, main

__all__ = ["app", "main"]
