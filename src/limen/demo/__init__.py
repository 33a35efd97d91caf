"""`limen demo`: a real training on real data, made sick by its learning rate; watched, repaired, reported."""

from limen.demo.show import main

__all__ = ["main"]
