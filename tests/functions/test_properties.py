"""Words that sift the catalogue, against the functions themselves."""

from collections.abc import Callable

import pytest
import torch

from limen.activations import Activation, get, names
from limen.errors import UnknownName
from limen.functions import PROPERTIES, catalogue, chosen, properties
from limen.functions.table import HEAD, table

GRID = torch.linspace(-30, 30, 6001, dtype=torch.float64)
FAR = torch.tensor([-1e300, -1e9, 1e9, 1e300], dtype=torch.float64)


def found(words: str) -> set[str]:
    return {subject.name for subject in chosen(catalogue(), words)}


@pytest.mark.parametrize(
    ("word", "holds"),
    [
        ("monotone", lambda act: bool((act.f(GRID).diff() >= -1e-14).all())),
        ("odd", lambda act: torch.equal(act.f(-GRID), -act.f(GRID))),
        ("even", lambda act: torch.equal(act.f(-GRID), act.f(GRID))),
        ("bounded", lambda act: bool((act.f(FAR).abs() < 100).all())),
        ("nonexpansive", lambda act: bool((act.df(torch.cat([GRID, FAR])).abs() <= 1 + 1e-12).all())),
    ],
)
def test_a_word_chooses_the_functions_that_behave_so(word: str, holds: Callable[[Activation], bool]) -> None:
    jump = {name for name in names(kind="elementwise") if get(name).sheet.jumps}  # type: ignore[attr-defined]
    expected = {name for name in names(kind="elementwise") if holds(get(name))} - (
        jump if word == "nonexpansive" else set()
    )
    assert found(f"elementwise,{word}") == expected


def test_words_are_combined_and_negated() -> None:
    both = found("smooth,odd")
    assert both == found("smooth") & found("odd")
    assert found("elementwise,not-monotone") == set(names(kind="elementwise")) - found("monotone")
    assert found("monotone,not-monotone") == set()
    assert found("") == set(names())


@pytest.mark.parametrize("word", sorted(set(PROPERTIES)))
def test_each_word_chooses_some_and_not_all(word: str) -> None:
    some = found(word)
    assert some < set(names())
    assert some == {subject.name for subject in catalogue() if word in properties(subject)}


@pytest.mark.parametrize("kind", ["elementwise", "gated", "head"])
def test_kinds_are_those_of_the_catalogue(kind: str) -> None:
    assert found(kind) == set(names(kind=kind))  # type: ignore[arg-type]


def test_a_property_that_makes_no_sense_of_a_kind_is_neither_there_nor_missing() -> None:
    assert not (found("monotone") | found("not-monotone")) & set(names(kind="head"))


def test_an_unknown_property_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"named 'montone'\. Did you mean 'monotone'\?"):
        chosen(catalogue(), "smooth,montone")


@pytest.mark.parametrize("width", [60, 80, 100, 140, None])
def test_the_table_has_a_line_for_each_function_and_keeps_to_its_width(width: int | None) -> None:
    head, *rows = table(catalogue(), width)
    assert head.split() == list(HEAD)[: len(head.split())]
    assert [row.split()[0] for row in rows] == list(names())
    if width is None:
        assert "…" not in "".join(rows)
        assert head.split() == list(HEAD)
    else:
        assert max(map(len, [head, *rows])) <= width


def test_the_columns_of_the_table_stand_below_their_heads() -> None:
    head, *rows = table(catalogue(), None)
    year = head.index("year")
    assert all(row[year:].strip() in ("–", *map(str, range(1800, 2030))) for row in rows)
