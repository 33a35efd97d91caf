"""Correct models, written out as people write them: every one of them has to pass without a word."""

from tests.preflight.zoo.case import Case
from tests.preflight.zoo.generative import GENERATIVE
from tests.preflight.zoo.others import OTHERS
from tests.preflight.zoo.plain import PLAIN
from tests.preflight.zoo.sequence import SEQUENCE
from tests.preflight.zoo.transformers import TRANSFORMERS
from tests.preflight.zoo.vision import VISION

__all__ = ["HEALTHY", "Case"]

HEALTHY: dict[str, Case] = {
    case.name: case for case in (*PLAIN, *VISION, *SEQUENCE, *TRANSFORMERS, *GENERATIVE, *OTHERS)
}
