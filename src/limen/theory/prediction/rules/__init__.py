"""The rules: what each kind of operation does to means, variances and gradients. Importing this enters them all."""

from limen.theory.prediction.rules import attention, elementwise, lookup, maps, norms, pools, recurrent, views

__all__ = ["attention", "elementwise", "lookup", "maps", "norms", "pools", "recurrent", "views"]
