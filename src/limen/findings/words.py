"""Wording that several findings share."""

from limen.sites import Site

__all__ = ["bound_words", "samples_of"]


def samples_of(site: Site) -> str:
    """What each unit was evaluated on: samples, or the positions of an image or a sequence.

    A unit axis that is not the last has positions behind it.
    """
    return "samples" if site.axis == -1 else "positions"


def bound_words(samples: int, site: Site) -> str:
    """What is known of a unit that was silent on so many samples, by the rule of three: never a bound of zero."""
    bound = min(100.0, 300.0 / max(samples, 1))
    return f"each fires on less than {bound:.3g} % of {samples_of(site)} (95 % confidence: 3 / {samples:,})"
