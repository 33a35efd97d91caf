"""How sites, layers and losses are found in a live model."""

from limen.anatomy.wiring import Consumer, Wiring

__all__ = ["Consumer", "Wiring"]
