"""``limen explain``: the manual page of a symptom, cause, remedy or activation."""

from __future__ import annotations

import re
import textwrap

from rich.console import Console
from rich.text import Text

__all__ = ["explain", "list_names", "paragraphs"]

HEADING = re.compile(r"(?P<heading>[A-Z][A-Za-z ]{2,24}:)(?= )")
WIDTH = 96
INDENT = "  "
CODE = re.compile(r"``(?P<code>[^`]+)``")


def explain(name: str, console: Console) -> None:
    """Print the page of ``name``.

    Raises:
        UnknownName: there is none; the nearest name of all kinds is suggested (also a ``KeyError``).
    """
    from limen.manual import explain as page  # loads torch

    title, _, body = page(name).partition("\n")
    console.print(Text(title, "bold cyan"))
    for paragraph in paragraphs(body):
        console.print()
        for line in _styled(paragraph).wrap(console, min(console.width, WIDTH) - len(INDENT)):
            line.rstrip()
            console.print(Text(INDENT) + line)


def list_names(console: Console) -> None:
    """Print all names that have a page, by kind."""
    from limen.manual import names  # loads torch

    for kind, known in names().items():
        console.print(Text(kind.removesuffix("y") + ("ies" if kind.endswith("y") else "s"), "bold cyan"))
        wrapped = textwrap.wrap("  ".join(known), min(console.width, WIDTH) - len(INDENT), break_on_hyphens=False)
        for line in wrapped:
            console.print(Text(INDENT + line))
        console.print()
    console.print("limen explain NAME prints the page of one.")


def paragraphs(body: str) -> list[str]:
    r"""The paragraphs of a page, each on one line so that the terminal may wrap it; a heading begins a new one.

    >>> paragraphs("One\nand two.\n\nSource: me.\nHazards: none.")
    ['One and two.', 'Source: me.', 'Hazards: none.']
    """
    joined: list[str] = []
    fresh = True
    for line in (line.strip() for line in body.splitlines()):
        if not line:
            fresh = True
        elif fresh or HEADING.match(line):
            joined.append(line)
            fresh = False
        else:
            joined[-1] += f" {line}"
    return joined


def _styled(paragraph: str) -> Text:
    text = Text()
    end = 0
    for match in CODE.finditer(paragraph):
        text.append(paragraph[end : match.start()])
        text.append(match["code"], "bold")
        end = match.end()
    text.append(paragraph[end:])
    if heading := HEADING.match(paragraph):
        text.stylize("bold", 0, heading.end("heading"))
    return text
