"""What a model computes in one forward pass, written down as values: the base of predictions and checks."""

from limen.anatomy.tape.linear_maps import LinearMap, linear_map_of
from limen.anatomy.tape.record import record, undisturbed
from limen.anatomy.tape.recorder import Foresee, See
from limen.anatomy.tape.sample import Sample, call_of, tensors_of
from limen.anatomy.tape.values import Operation, Tape, Value, values_in

__all__ = [
    "Foresee",
    "LinearMap",
    "Operation",
    "Sample",
    "See",
    "Tape",
    "Value",
    "call_of",
    "linear_map_of",
    "record",
    "tensors_of",
    "undisturbed",
    "values_in",
]
