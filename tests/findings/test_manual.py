import inspect
import re

import pytest

from limen.errors import UnknownName
from limen.findings import CAUSES, REMEDIES, SYMPTOMS, page, pages
from limen.findings.causes import EXPLANATIONS, FACTS
from limen.findings.remedies import PAGES
from limen.findings.rules import RULES

HEADINGS = ("Why it matters:", "How it is measured:", "Known to misfire:", "Answered by:", "Source:")
REQUIRED_RULES = {
    "dead-units",
    "dying-units",
    "saturated-units",
    "vanishing-gradient",
    "exploding-gradient",
    "non-finite",
    "not-learning",
}
REQUIRED_CAUSES = {
    "learning-rate-too-high",
    "bad-initialisation",
    "bad-bias",
    "dead-from-start",
    "saturating-activation",
    "unscaled-inputs",
}


@pytest.mark.parametrize("name", [*RULES, *dict.fromkeys((*EXPLANATIONS, *FACTS))])
def test_a_page_has_its_headings_in_order(name: str) -> None:
    text = page(name)
    places = [text.find(f"\n{heading}") for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", [*RULES, *dict.fromkeys((*EXPLANATIONS, *FACTS))])
def test_a_page_is_answered_by_remedies_that_exist(name: str) -> None:
    answered = re.search(r"Answered by: ([^.]+)\.", page(name).replace("\n", " "))
    assert answered is not None
    assert set(answered[1].replace(" ", "").split(",")) <= set(REMEDIES)


def test_the_promised_rules_and_causes_exist_under_names_of_the_vocabulary() -> None:
    assert REQUIRED_RULES <= set(RULES) <= set(SYMPTOMS)
    assert REQUIRED_CAUSES <= set(EXPLANATIONS) <= set(CAUSES)


def test_every_remedy_has_a_page() -> None:
    assert set(PAGES) == set(REMEDIES)
    assert all(len(text) > 80 for text in PAGES.values())


def test_pages_are_unique_and_all_open() -> None:
    assert len(set(pages())) == len(pages())
    for name in pages():
        assert page(name).startswith(name)


def test_the_page_of_a_rule_is_its_docstring() -> None:
    assert page("dead-units").endswith(inspect.getdoc(RULES["dead-units"]) or "")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"named 'dead-unit'\. Did you mean 'dead-units'\?"):
        page("dead-unit")
