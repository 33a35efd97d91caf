from dataclasses import replace

import pytest

from limen.findings import Finding
from limen.report import html, plain
from limen.report.groups import actions, grouped
from limen.report.order import sorted_findings
from limen.report.words import spread
from tests.report import hard_runs, runs
from tests.report.test_html import Page


def test_the_same_fault_for_the_same_reason_is_told_once() -> None:
    run = runs.sick()
    dead, dying = grouped(run, sorted_findings(run))
    assert [finding.where for finding in dead.members] == ["relu1", "relu2"]
    assert (spread(dead.members), dying.closed) == ("2 layers", 61)


def test_what_was_done_is_marked_and_what_could_be_done_is_offered() -> None:
    run = runs.sick()
    done = {one.remedy: one.done for one in actions(run, grouped(run, sorted_findings(run))[0])}
    assert done == {
        "revive-units": "after step 60",
        "lower-learning-rate": "after step 60: 2 → 0.05",
        "scale-inputs": "",
    }
    untreated = replace(run, treatments=())
    offered = actions(untreated, grouped(untreated, sorted_findings(untreated))[0])
    assert [one.remedy for one in offered if one.safe] == ["revive-units", "lower-learning-rate"]
    assert "Lower the learning rate (2 → try 0.0331)." in [one.sentence for one in offered]
    assert "does this while the training runs" in plain(untreated, width=1000)
    assert "--treat safe does this while the training runs" in Page(html(untreated)).text


def test_a_rate_that_was_lowered_for_another_finding_is_not_proposed_again() -> None:
    run = runs.sick()
    twice = replace(run.treatments[1], step=110, finding="dead-units @ gone", before={"learning rate": 0.05}, after={})
    others = tuple(replace(one, finding="dead-units @ gone") for one in run.treatments[:2])
    treated = replace(run, treatments=(*others, twice))
    told = " ".join(plain(treated, width=1000).split())
    assert "Lower the learning rate. Done after step 60: 2 → 0.05; after step 110." in told
    assert "done after step 60: 2 → 0.05; after step 110" in Page(html(treated)).text
    undone = replace(run, treatments=tuple(replace(one, kept=False) for one in others))
    assert "Done after" not in plain(undone)


def test_when_it_became_known_is_told_beside_when_it_began() -> None:
    run = replace(runs.sick(), treatments=())
    for told, words in ((None, ""), (3, ""), (20, "; known at step 20")):
        known = replace(run, findings=tuple(replace(one, told=told) for one in run.findings))
        assert f"step 3 of 1,200{words}\n" in plain(known)
        assert f"since step 3{words}" in Page(html(known)).text
        assert ("known at" in plain(known)) == bool(words)


def test_units_that_were_revived_since_are_told_beside_the_step_it_began_at() -> None:
    run = runs.sick()
    assert "since step 3; units revived after step 60 and 420" in Page(html(run)).text
    assert "step 3 of 1,200; units revived after step 60 and 420" in plain(run)


def test_a_treatment_claims_its_own_rate_and_is_told_beside_the_end() -> None:
    run = runs.sick()
    told, page = plain(run), Page(html(run)).text
    assert "loss: 2.31 then, 0.0703 at the end" in told
    assert "learning rate: 2" not in told
    assert "at the end" in page
    later = replace(run, treatments=(replace(run.treatments[0], after={}),))
    assert "dead units: 119 then, not measured since" in plain(later)


def test_a_treatment_is_told_with_the_title_of_its_site() -> None:
    run = runs.sick()
    numbered = replace(run.vitals.sites[0], site=replace(run.vitals.sites[0].site, name="1", layer="0"))
    record = replace(run.treatments[0], where="1")
    treated = replace(run, findings=(), treatments=(record,), vitals=replace(run.vitals, sites=(numbered,)))
    assert "revive-units at relu after layer 0 after step 60" in plain(treated)
    assert "relu after layer 0, after step 60" in Page(html(treated)).text


def test_nothing_is_to_be_done_about_what_is_over() -> None:
    run = runs.sick()
    assert actions(run, grouped(run, sorted_findings(run))[1]) == []


def test_a_sentence_about_several_layers_names_none_of_them() -> None:
    run = replace(runs.sick(), treatments=())
    pair = actions(run, grouped(run, run.findings[:2])[0])[0].sentence
    single = actions(run, grouped(run, run.findings[:1])[0])[0].sentence
    assert "fc1" not in pair
    assert "the 87 dead units of fc1" in single


def test_a_loss_that_does_not_fall_is_told_beside_its_reason() -> None:
    run = runs.vanishing()
    (vanishing,) = grouped(run, sorted_findings(run))
    assert [finding.symptom for finding in vanishing.consequences] == ["not-learning"]
    assert "The loss does not fall" in Page(html(run)).text


@pytest.mark.parametrize("make", [runs.sick, runs.vanishing, runs.all_nan, hard_runs.hostile])
def test_every_finding_is_in_one_group(make) -> None:
    run = make()
    told: list[Finding] = [f for one in grouped(run, run.findings) for f in (*one.members, *one.consequences)]
    assert sorted(told, key=id) == sorted(run.findings, key=id)
