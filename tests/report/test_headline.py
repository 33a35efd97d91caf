from dataclasses import replace

import pytest

from limen.journal import Run
from limen.report.headline import cost, headline, unfinished
from limen.report.page import about, verdict
from tests.report.runs import healthy, nothing, one_step, remarked, sick, vanishing

REMARK = "1 remark: some layers are not trained (no-gradient-path)"


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (healthy(), "healthy: 3 sites, 600 steps watched"),
        (remarked(), f"healthy: 3 sites, 600 steps watched; {REMARK}"),
        (sick(), "sick: 1 error, 1 warning with one root; 5 sites, 1,200 steps watched"),
        (vanishing(), "sick: 2 errors with one root; 12 sites, 400 steps watched"),
        (one_step(), "undecided: 1 step seen, 20 needed"),
        (nothing(), "no training step was seen"),
        (
            replace(nothing(), vitals=replace(nothing().vitals, step=9)),
            "undecided: no activation function was seen in 9 steps; limen check says where one is missing",
        ),
    ],
)
def test_the_verdict_is_one_line(run: Run, words: str) -> None:
    assert headline(run) == words


KILLED = {"finished": False, "exit_code": None}
FAILED = {"exit_code": 1}
SIGNALLED = {"exit_code": -15}
BROKEN = {"broken": "limen stumbled at step 9"}


def with_samples(run: Run, samples: int) -> Run:
    sites = tuple(
        replace(seen, total=replace(seen.total, moments=replace(seen.total.moments, count=samples)))
        for seen in run.vitals.sites
    )
    return replace(run, vitals=replace(run.vitals, sites=sites))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (0, "undecided: 0 samples seen, 1,000 needed"),
        (1, "undecided: 1 sample seen, 1,000 needed"),
        (999, "undecided: 999 samples seen, 1,000 needed"),
        (1000, "healthy: 3 sites, 600 steps watched"),
    ],
)
def test_steps_with_too_few_samples_for_any_site_decide_nothing(samples: int, words: str) -> None:
    run = with_samples(healthy(), samples)
    assert headline(run) == words
    (first, *_), few = run.vitals.sites, with_samples(run, 5).vitals.sites
    rare = replace(run, vitals=replace(run.vitals, sites=(first, *few[1:])))  # an expert that is seldom asked
    assert headline(rare) == words or samples < 5


def test_what_was_found_stands_however_few_samples_there_were() -> None:
    assert with_samples(vanishing(), 20).verdict == "sick"


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (healthy(), ""),
        (replace(nothing(), **FAILED), ""),
        (replace(healthy(), **FAILED), "did not finish: exit code 1 at step 600"),
        (replace(vanishing(), **SIGNALLED), "did not finish: SIGTERM at step 400"),
        (replace(healthy(), exit_code=-999), "did not finish: signal 999 at step 600"),
        (replace(healthy(), **KILLED), "did not finish: killed after step 600, or still running"),
        (replace(vanishing(), **BROKEN), "not watched to the end: limen stumbled at step 9"),
    ],
)
def test_a_run_that_did_not_finish_is_known(run: Run, words: str) -> None:
    assert unfinished(run) == words


def test_a_watch_that_broke_is_told_with_the_verdict() -> None:
    assert headline(replace(healthy(), **BROKEN)) == "undecided: limen stumbled at step 9"
    assert headline(replace(vanishing(), **BROKEN)) == (
        "sick: 2 errors with one root; 12 sites, 400 steps watched; not watched to the end: limen stumbled at step 9"
    )


def test_the_page_of_a_run_that_did_not_finish_says_so_first() -> None:
    page = verdict(replace(healthy(), **FAILED))
    assert page["title"] == "Did not finish: exit code 1 at step 600"
    assert page["lede"] == "Healthy until then: 3 sites, 600 steps watched."
    assert verdict(replace(vanishing(), **FAILED))["kicker"] == "Sick; did not finish: exit code 1 at step 400"
    assert verdict(healthy())["title"] == "Nothing to report"


def test_the_page_of_a_healthy_run_never_hides_a_remark() -> None:
    page = verdict(remarked())
    assert page["title"] == "Healthy, with 1 remark"
    assert page["lede"] == f"3 sites, 600 steps watched; {REMARK}."
    assert (
        verdict(replace(remarked(), **FAILED))["lede"] == f"Healthy until then: 3 sites, 600 steps watched; {REMARK}."
    )
    over = replace(remarked(), findings=tuple(replace(one, closed=300) for one in remarked().findings))
    assert verdict(over)["title"] == "Healthy"  # never sick, so not again; and there was something


def test_many_remarks_are_counted_and_the_first_two_written_out() -> None:
    (remark,) = remarked().findings
    names = ("no-gradient-path", "unscaled-inputs", "unscaled-targets", "loss-numerics")
    many = tuple(replace(remark, causes=(replace(remark.causes[0], name=name),)) for name in names)
    assert headline(replace(healthy(), findings=many)) == (
        "healthy: 3 sites, 600 steps watched; 4 remarks: some layers are not trained (no-gradient-path), "
        "the inputs are not scaled (unscaled-inputs) and 2 more"
    )
    wide = tuple(replace(remark, layer=f"fc{i}", where=f"fc{i}" + "x" * 900) for i in range(3))
    assert headline(replace(healthy(), findings=wide)) == (
        "healthy: 3 sites, 600 steps watched; 3 remarks: some layers are not trained (no-gradient-path)"
    )


def test_a_remark_of_a_place_with_an_endless_name_stays_a_line() -> None:
    (remark,) = remarked().findings
    named = replace(remark, where="x" * 900, symptom="collapsed-representation")
    assert len(headline(replace(healthy(), findings=(named,)))) < 180


@pytest.mark.parametrize(
    ("spent", "seconds", "budget", "words", "title"),
    [
        (
            0.8,
            9.0,  # 9 %, which a short training may cost
            0.01,
            "0.8 s (of the 2 s that are always allowed)",
            "Watching took 0.8 s of the 2 s that are always allowed",
        ),
        (
            21.0,
            3600.0,
            0.01,
            "21 s (0.6 % of the time, 1 % allowed)",
            "Watching took 21 s: 0.6 % of the time, 1 % allowed",
        ),
        (
            21.0,
            60.0,
            None,
            "21 s (35 % of the time; no limit was set)",
            "Watching took 21 s: 35 % of the time; no limit was set",
        ),
    ],
)
def test_the_cost_is_told_against_the_limit_that_counts(
    spent: float, seconds: float, budget: float | None, words: str, title: str
) -> None:
    run = replace(healthy(), spent=spent, seconds=seconds, budget=budget)
    assert cost(run) == words
    assert about(run)["cost_title"] == title
