import re
from pathlib import Path

import pytest

from limen.errors import UnknownName
from limen.manual import explain, names

WORDS = Path(__file__).parents[1] / "docs" / "how-it-works.md"


def test_every_name_has_a_page_that_tells_its_kind() -> None:
    assert list(names()) == ["symptom", "cause", "remedy", "word", "activation"]
    for kind, members in names().items():
        for name in members:
            title, _, body = explain(name).partition("\n\n")
            assert title == f"{name} ({kind})"
            assert len(body) > 40


def test_no_two_names_are_the_same_however_they_are_written() -> None:
    every = [re.sub(r"[-_ ]", "", name).lower() for members in names().values() for name in members]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Update Ratio", "update-ratio"),
        ("update_ratio", "update-ratio"),
        (" DEAD-UNITS ", "dead-units"),
        ("leaky-relu", "leaky_relu"),
        ("LeakyReLU", "leaky_relu"),
    ],
)
def test_case_and_the_joints_of_a_name_do_not_matter(written: str, meant: str) -> None:
    assert explain(written) == explain(meant)


def test_the_words_of_the_documentation_are_explained() -> None:
    section = WORDS.read_text().partition("## What words mean")[2].partition("\n## ")[0]
    bold = re.findall(r"\*\*([A-Za-z ]+)\*\*", section)
    told = {word.lower().replace(" ", "-").removesuffix("-unit") for word in bold}
    assert {"site", "unit", "sample", "flat", "active", "sparse", "update-ratio"} <= told
    assert told <= set(names()["word"])


def test_an_unknown_name_suggests_the_nearest_of_all_kinds() -> None:
    with pytest.raises(UnknownName, match=r"word or activation is named 'sampel'\. Did you mean 'sample'\?"):
        explain("sampel")
