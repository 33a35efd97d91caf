from collections.abc import Callable
from dataclasses import replace

import pytest

from limen.report import plain, rich_text
from limen.report.text import lines
from tests.report import hard_runs, runs

RUNS = {
    "sick": runs.sick,
    "healthy": runs.healthy,
    "remarked": runs.remarked,
    "vanishing": runs.vanishing,
    "one_step": runs.one_step,
    "nothing": runs.nothing,
    "all_nan": runs.all_nan,
    "hostile": hard_runs.hostile,
}
every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_the_text_is_the_golden_one(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"report-{name}.txt", plain(RUNS[name]()))


def test_a_healthy_network_gets_one_line() -> None:
    assert plain(runs.healthy()) == "healthy: 3 sites, 600 steps watched"


def test_an_info_is_a_remark_within_the_one_line() -> None:
    assert plain(runs.remarked()) == (
        "healthy: 3 sites, 600 steps watched; 1 remark: some layers are not trained (no-gradient-path)"
    )


def test_what_could_not_be_watched_is_said_of_a_healthy_network_too() -> None:
    run = runs.healthy()
    run = replace(run, vitals=replace(run.vitals, notes=("the gates of nn.GRU cannot be seen",)))
    assert lines(run)[-1] == "note      the gates of nn.GRU cannot be seen"


def test_each_finding_says_what_where_since_why_and_what_to_do() -> None:
    text = plain(runs.sick())
    first = runs.sick().findings[0]
    for words in (
        "dead-units in 2 layers: relu1 and relu2",
        "relu2: 16 % of units, limit 10 %, since step 4",
        "since   step 3",
        *(c.name for c in first.causes),
        *first.remedies,
    ):
        assert words in text


def test_the_worst_comes_first_whatever_the_order_they_were_found_in() -> None:
    run = runs.sick()
    assert plain(replace(run, findings=run.findings[::-1])) == plain(run)


def test_a_healed_run_is_healthy_and_says_what_healed_it() -> None:
    run = runs.sick()
    healed = replace(run, findings=tuple(replace(f, closed=80) for f in run.findings))
    text = lines(healed)
    assert text[0] == "healthy: 5 sites, 1,200 steps watched"
    assert "healed    dead-units at relu1 and relu2: began at step 3, healed at step 80" in text
    assert "          dead units: 119 then, 21 at the end" in text


def test_two_hundred_findings_fit_a_few_screens() -> None:
    text = lines(hard_runs.large(sites=200, rows=30))
    assert len(text) < 120
    assert "          and 194 more" in text


@every_run
def test_the_coloured_text_says_the_same_words(make) -> None:
    assert rich_text(make()).plain == plain(make())


@every_run
@pytest.mark.parametrize("width", [40, 96, 200])
def test_lines_are_printable_and_keep_to_the_width_where_words_allow(make, width: int) -> None:
    for line in lines(make(), width=width)[1:]:
        assert line.isprintable()
        assert len(line) <= width or " " not in line[10:].strip()


def test_square_brackets_in_a_name_are_not_colours() -> None:
    run = runs.sick()
    finding = replace(run.findings[0], where="[red]relu[/red]")
    assert "[red]relu[/red]" in rich_text(replace(run, findings=(finding,))).plain
