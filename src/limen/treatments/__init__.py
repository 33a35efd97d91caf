"""Repairs of a running training: each an edit with an undo."""
