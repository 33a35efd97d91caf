"""Wording that several findings share."""

from collections.abc import Sequence

from limen.findings.numbers import number
from limen.sites import Site

__all__ = ["bound_words", "listed", "samples_of"]

NAMED = 4  # places that a message names one by one


def samples_of(site: Site) -> str:
    """What each unit was evaluated on: samples, or the positions of an image or a sequence.

    A unit axis that is not the last has positions behind it.
    """
    return "samples" if site.axis == -1 else "positions"


def listed(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c, d and 1 more')
    """
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def bound_words(samples: int, site: Site) -> str:
    """What is known of a unit that was silent on so many samples, by the rule of three: never a bound of zero."""
    bound = min(100.0, 300.0 / max(samples, 1))
    return f"each fires on less than {number(bound)} % of {samples_of(site)} (95 % confidence: 3 / {samples:,})"
