"""What a watch says of itself."""

import io
import sys

import pytest

from limen.voice import Voice, broken


def test_the_same_trouble_is_told_once_and_each_other_one_too(capsys: pytest.CaptureFixture[str]) -> None:
    voice = Voice()
    for message in ("the disk is full.", "the disk is full.", "the journal is gone."):
        voice.say_once(message)
    voice.say("the disk is full.")
    assert capsys.readouterr().err.splitlines() == [
        "limen: the disk is full.",
        "limen: the journal is gone.",
        "limen: the disk is full.",
    ]


def test_a_closed_stderr_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    Voice().say("nobody hears this.")


def test_a_watch_that_ended_of_itself_says_when_and_why() -> None:
    assert broken(KeyError("relu"), 1200) == (
        "the watch ended at step 1,200 because of an error of its own (KeyError: 'relu')"
    )
