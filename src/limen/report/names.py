"""Names in figures and tables: as written, and short enough to fit."""

import html
from collections.abc import Sequence

from limen.report.numbers import printable

__all__ = ["label", "short_names", "shortened"]


def label(text: str) -> str:
    """Text for plotly, which obeys a few tags and entities, so that it shows as written."""
    return html.escape(printable(text), quote=False)


def shortened(name: str, most: int = 28) -> str:
    """A name with its middle left out: both ends of a dotted path tell more than its middle.

    >>> shortened("encoder.layers.11.feed_forward.activation")
    'encoder.layers.11…activation'
    """
    text = printable(name)
    if len(text) <= most:
        return text
    front = round(0.62 * (most - 1))
    return f"{text[:front]}…{text[len(text) - (most - 1 - front) :]}"


def short_names(names: Sequence[str], most: int = 28) -> list[str]:
    """Names for the ticks of an axis: long ones without the start of the path that all share.

    Without the end that all share too, where they are still too long.

    >>> short_names(["encoder.layers.0.feed_forward.relu", "encoder.layers.11.feed_forward.relu"])
    ['0.feed_forward.relu', '11.feed_forward.relu']
    """
    if len(names) < 2 or max(map(len, names)) <= 20:
        return [shortened(name, most) for name in names]
    parts = [name.split(".") for name in names]
    fewest = min(map(len, parts))
    front = next((i for i in range(fewest) if len({p[i] for p in parts}) > 1), 0)
    kept = [p[front:] for p in parts]
    if max(len(".".join(p)) for p in kept) > most:
        back = next((i for i in range(fewest) if len({p[-1 - i] for p in kept}) > 1), 0)
        kept = [p[: len(p) - back] for p in kept]
    if len({tuple(p) for p in kept}) < len(names) or not all(kept):
        kept = parts
    return [shortened(".".join(p), most) for p in kept]
