"""The exception tree: caught as limen's, and as the built-in that a caller would guess."""

import pickle
import re

import pytest

from limen import errors
from limen.errors import (
    InvalidValue,
    LimenError,
    MissingPackage,
    SampleRefused,
    UnknownName,
    UnreadableJournal,
    UnwritablePath,
    WatchRefused,
    WrongType,
)

TREE = {
    UnknownName: KeyError,
    InvalidValue: ValueError,
    WrongType: TypeError,
    SampleRefused: ValueError,
    MissingPackage: ImportError,
    UnreadableJournal: OSError,
    UnwritablePath: OSError,
    WatchRefused: RuntimeError,
}


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_each_error_is_limens_and_the_built_in_one_that_a_caller_would_guess(kind: type[LimenError]) -> None:
    for caught in (LimenError, TREE[kind]):
        with pytest.raises(caught, match=r"what was asked, what to do"):
            raise kind("what was asked, what to do")


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_prints_its_message_as_it_is(kind: type[LimenError]) -> None:
    assert str(kind("No such 'thing'.\nSay it again.")) == "No such 'thing'.\nSay it again."
    assert str(kind()) == ""


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_way_between_processes(kind: type[LimenError]) -> None:
    again = pickle.loads(pickle.dumps(kind("message")))
    assert (type(again), str(again)) == (kind, "message")


def test_the_drawing_of_the_tree_shows_every_error_and_its_built_in() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+)\s+\(also (\w+)\)", errors.__doc__ or ""))
    assert drawn == {kind.__name__: base.__name__ for kind, base in TREE.items()}
    assert set(errors.__all__) == {*drawn, "LimenError"}


def test_an_unknown_name_suggests_the_nearest() -> None:
    assert str(UnknownName.of("activation", "rleu", ["relu", "gelu"])) == (
        "No activation is named 'rleu'. Did you mean 'relu'?"
    )


def test_an_unknown_name_with_nothing_near_lists_all_in_order() -> None:
    error = UnknownName.of("symptom", "xyzzy", ["vanishing-gradient", "dead-units"])
    assert str(error) == "No symptom is named 'xyzzy'. Known: dead-units, vanishing-gradient."


@pytest.mark.parametrize("known", [[], iter(["relu"]), {"relu"}])
def test_known_names_may_come_in_any_collection(known: object) -> None:
    assert "'rleu'" in str(UnknownName.of("activation", "rleu", known))  # pyright: ignore[reportArgumentType]
