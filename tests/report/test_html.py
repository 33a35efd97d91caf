import json
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from limen.report import html
from tests.report import hard_runs, runs
from tests.report.hard_runs import HOSTILE

RUNS = [runs.sick, runs.healthy, runs.vanishing, runs.one_step, runs.nothing, runs.all_nan, hard_runs.hostile]


class Page(HTMLParser):
    """Tags, attributes and texts of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0], parse_constant=pytest.fail)


@pytest.mark.parametrize("make", RUNS)
def test_a_page_has_three_scripts_and_refers_to_nothing_outside(make) -> None:
    page = Page(html(make()))
    assert page.tags["script"] == 3
    assert {tag for tag in ("img", "iframe", "object", "embed", "base", "form") if page.tags[tag]} == set()
    references = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "action", "data")]
    assert all(value.startswith(("#", "data:")) for value in references)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    (policy,) = [value for tag, name, value in page.attributes if tag == "meta" and value.startswith("default-src")]
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("make", RUNS)
def test_the_data_of_a_page_is_strict_json(make) -> None:
    assert set(Page(html(make())).data) == {"figures", "histograms", "activity", "gradient"}


def test_plotly_is_there_once() -> None:
    assert html(runs.sick()).count("* plotly.js v") == 1


def test_hostile_texts_are_shown_as_written_and_do_nothing() -> None:
    document = html(hard_runs.hostile())
    page = Page(document)
    shown = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp; <!-- %{y} {{7*7}} \\x1b[31m"
    assert shown in page.text
    data = page.scripts[0]
    assert not {"<", ">", "&", "\u2028"} & set(data)
    assert "\x1b" not in document
    assert "\u2028" not in document.replace(page.scripts[1], "")
    assert page.data["histograms"][0]["site"].startswith(HOSTILE)


def test_the_page_says_what_the_run_holds() -> None:
    text = Page(html(runs.sick())).text.replace("\u00a0", " ")
    for words in (
        "108 of 256 units of relu1 and relu2 are dead",
        "Since step 3, most likely because the learning rate is too high.",
        "2 findings hold, 1 has healed",
        "limen explain dead-units",
        "2 treatments kept, 1 undone",
        "examples/sick_learning_rate.py --lr 2.0 --epochs 100",
        "Watching took 98.5 ms of the 2 s that are always allowed",
        "2 of 5 sites with a finding",
        "2025-11-21 04:40 UTC",
    ):
        assert words in text


def test_the_page_of_a_healthy_run_speaks_of_a_remark_from_top_to_bottom() -> None:
    text = Page(html(runs.remarked())).text
    assert "Healthy, with 1 remark" in text
    assert "1 remark: some layers are not trained" in text
    assert "1 remark holds" in text
    assert "Nothing to report" not in text


def test_every_figure_of_the_page_has_its_data_and_every_data_its_figure() -> None:
    page = Page(html(runs.sick()))
    ids = {value for tag, name, value in page.attributes if tag == "div" and name == "id"}
    own = {"activity-map", "gradient-map", "gradient-profile", "histogram"}
    assert set(page.data["figures"]) == ids - own
    assert own <= ids


def test_two_hundred_sites_and_ten_thousand_steps_stay_below_eight_megabytes() -> None:
    document = html(hard_runs.large(sites=200, rows=1024, steps=10_000)).encode()
    assert len(document) < 8_000_000
