"""The catalogue to look up: what is known of a function in words, as curves and as JSON."""

from limen.functions.curves import panels
from limen.functions.facts import facts
from limen.functions.lookup import bare, look_up
from limen.functions.page import page
from limen.functions.properties import PROPERTIES, chosen, properties
from limen.functions.subject import Subject, catalogue, of_description
from limen.functions.table import table
from limen.functions.to_json import to_json
from limen.functions.words import about, formula

__all__ = [
    "PROPERTIES",
    "Subject",
    "about",
    "bare",
    "catalogue",
    "chosen",
    "facts",
    "formula",
    "look_up",
    "of_description",
    "page",
    "panels",
    "properties",
    "table",
    "to_json",
]
