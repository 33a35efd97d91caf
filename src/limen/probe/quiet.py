"""Keeps torch from warning the user about what limen does."""

from __future__ import annotations

import warnings

__all__ = ["Quiet"]


class Quiet:
    """Silences one warning of torch's while a watch lasts: that a compiled module meets global hooks, limen's own."""

    def __init__(self) -> None:
        before = list(warnings.filters)
        warnings.filterwarnings("ignore", message=r"Using `torch\.compile\(module\)` when there are global hooks")
        self._added = [entry for entry in warnings.filters if entry not in before]

    def close(self) -> None:
        """Leave the filters of the script as they are, less this one."""
        for entry in self._added:
            if entry in warnings.filters:
                warnings.filters.remove(entry)  # pyright: ignore[reportAttributeAccessIssue]
        self._added = []
