"""The manual page of anything that has a name in limen."""

import inspect

from limen.activations import get
from limen.activations import names as activation_names
from limen.errors import UnknownName
from limen.findings import page, pages

__all__ = ["explain", "explained"]


def explained() -> tuple[str, ...]:
    """Names that have a manual page: symptoms, causes, remedies, then activation functions."""
    return (*pages(), *activation_names())


def explain(name: str) -> str:
    """The manual page of a symptom, cause, remedy or activation function, as plain text.

    Args:
        name: One of ``explained()``, for instance ``dead-units`` or ``relu``.

    Returns:
        A title line and the page below it.

    Raises:
        UnknownName: There is no page of this name (also a ``KeyError``); the nearest name is suggested.

    >>> print(explain("relu").splitlines()[0])
    relu (activation)
    """
    if name in pages():
        return page(name)
    if name not in activation_names():
        raise UnknownName.of("symptom, cause, remedy or activation", name, explained())
    return f"{name} (activation)\n\n{inspect.getdoc(get(name))}"
