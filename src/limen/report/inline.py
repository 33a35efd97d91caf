"""What a page that loads nothing from anywhere has in it: data that no script can be smuggled into, and plotly."""

from __future__ import annotations

import json
from functools import cache

from markupsafe import Markup

from limen.report.draw import Json

__all__ = ["inline", "plotly"]


def inline(data: Json) -> Markup:
    r"""JSON that nothing in a ``<script>`` element can end: ``<``, ``>`` and ``&`` are written ``\u003c`` and so on."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def plotly() -> str:
    """plotly.js, whole."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
