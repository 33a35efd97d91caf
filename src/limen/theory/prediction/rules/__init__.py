"""The rules: what each kind of operation does to means, variances and gradients. Importing this enters them all."""

from limen.theory.prediction.rules import elementwise, lookup, maps, norms, pools, views

__all__ = ["elementwise", "lookup", "maps", "norms", "pools", "views"]
