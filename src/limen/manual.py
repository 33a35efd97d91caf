"""The manual page of anything that has a name in limen."""

import inspect

from limen.activations import names as activation_names
from limen.errors import UnknownName
from limen.findings import kinds, page
from limen.functions import bare, look_up
from limen.functions import page as function_page
from limen.preflight.rules import CHECKS

__all__ = ["explain", "names"]


def names() -> dict[str, tuple[str, ...]]:
    """Names that have a manual page, by their kind: symptom, cause, remedy, word and activation.

    >>> list(names())
    ['symptom', 'cause', 'remedy', 'word', 'activation']
    """
    known = kinds()
    causes = dict.fromkeys((*known["cause"], *(cause for cause, _ in CHECKS.values())))
    return {**known, "cause": tuple(causes), "activation": tuple(activation_names())}


def explain(name: str) -> str:
    """The manual page of a symptom, cause, remedy, word or activation function, as plain text.

    A cause that is seen both in a training and before it has two parts.

    Args:
        name: One of ``names()``, for instance ``dead-units`` or ``relu``; case, spaces, hyphens and underscores are
            all one.

    Returns:
        A title line and the page below it.

    Raises:
        UnknownName: There is no page of this name (also a ``KeyError``); the nearest name is suggested.

    >>> print(explain("Leaky ReLU").splitlines()[0])
    leaky_relu (activation)
    """
    known = {bare(one): one for names_of_kind in names().values() for one in names_of_kind}
    meant = known.get(bare(name))
    if meant is None:
        raise UnknownName.of("symptom, cause, remedy, word or activation", name, known.values())
    if meant in activation_names():
        return f"{meant} (activation)\n\n{function_page(look_up(meant))}"
    before = [inspect.getdoc(check) or "" for cause, check in CHECKS.values() if cause == meant]
    if not before:
        return page(meant)
    told = [page(meant)] if meant in kinds()["cause"] else []
    parts = [f"Before training: {text}" for text in before] if told else before
    return "\n\n".join([*(told or [f"{meant} (cause)"]), *parts])
