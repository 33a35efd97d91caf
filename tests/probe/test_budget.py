"""Simulated trainings under a budget: what is spent, and how long nothing is seen."""

import itertools
import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from limen.probe.budget import ALARM_STEPS, ALLOWANCE, DENSE_STEPS, LOAN, Budget

ROUNDING = 1 + 1e-9


@dataclass
class Training:
    """A training of equal steps, each look at the same cost."""

    share: float | None
    step_time: float
    look_time: float
    steps: int
    allowance: float = ALLOWANCE
    alarms: frozenset[int] = frozenset()
    seconds: float = 0.0
    looks: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # seconds at the end of each step
    spent: list[float] = field(default_factory=list)

    def run(self) -> "Training":
        budget = Budget(self.share, self.allowance)
        cost = 0.0
        for step in range(1, self.steps + 1):
            looked = step == 1 or budget.looks_at(step, self.seconds)
            if looked:
                self.looks.append(step)
                cost += self.look_time
            duration = self.step_time + (self.look_time if looked else 0.0)
            self.seconds += duration
            budget.account(looked, self.look_time if looked else 0.0, duration)
            if step in self.alarms:
                budget.alarm(step)
            self.times.append(self.seconds)
            self.spent.append(cost)
        assert budget.spent == pytest.approx(cost)
        return self

    def stretches(self) -> list[float]:
        """Seconds between one look and the next, after the dense steps; the last may be unfinished."""
        edges = [step for step in self.looks if step >= DENSE_STEPS] + [self.steps]
        return [self.times[b - 1] - self.times[a - 1] for a, b in itertools.pairwise(edges)]


shares = st.sampled_from([0.001, 0.01, 0.05, 0.3, 1.0])
step_times = st.floats(1e-4, 2.0)
look_times = st.floats(1e-5, 1.0)
trainings = st.builds(Training, shares, step_times, look_times, st.just(1500), st.sampled_from([0.0, 0.5, 2.0]))


@given(trainings)
@settings(deadline=None, max_examples=60)
def test_what_is_spent_stays_within_allowance_and_share_once_the_first_steps_are_paid(plan: Training) -> None:
    training = plan.run()
    first = DENSE_STEPS * training.look_time
    for seconds, spent in zip(training.times, training.spent, strict=True):
        assert spent <= max(first, training.allowance, (training.share or 0) * seconds) * ROUNDING


@given(trainings)
@settings(deadline=None, max_examples=60)
def test_a_blind_stretch_lasts_no_longer_than_earning_the_next_look(plan: Training) -> None:
    training = plan.run()
    share, look, step = training.share or 1.0, training.look_time, training.step_time
    # The first stretch pays for the dense steps; later ones earn one look, at half the share while the allowance
    # is being spread. A random part of up to a quarter of that comes on top, and all is rounded to whole steps.
    debt = DENSE_STEPS * look / share
    one = 2 * look / share
    first, *later = training.stretches()
    assert first <= debt + 1.25 * one + 3 * (step + look)
    assert all(stretch <= 1.25 * one + 3 * (step + look) for stretch in later)


@given(shares, step_times, look_times)
@settings(deadline=None, max_examples=60)
def test_every_step_is_seen_while_looking_costs_less_than_the_share(share: float, step: float, look: float) -> None:
    assume(look <= 0.999 * share * (step + look))
    assert Training(share, step, look, 1000).run().looks == list(range(1, 1001))


@given(shares, step_times, st.floats(1e-5, 9e-4), st.integers(51, 1000))
@settings(deadline=None, max_examples=60)
def test_a_training_that_half_the_allowance_pays_for_is_seen_at_every_step(
    share: float, step: float, look: float, steps: int
) -> None:
    assert steps * look < ALLOWANCE / 2
    assert Training(share, step, look, steps).run().looks == list(range(1, steps + 1))


@given(shares, step_times, look_times)
@settings(deadline=None, max_examples=30)
def test_a_budget_that_is_short_is_used_up(share: float, step: float, look: float) -> None:
    training = Training(share, step, look, 3000).run()
    earned = max(ALLOWANCE / 2, share * training.seconds)
    wanted = training.steps * look
    # What is left over at the end is at most the earnings of one planned gap and its random excess
    left = 1.25 * 2 * look + 3 * share * (step + look)
    assert training.spent[-1] >= min(wanted, earned) - left


@pytest.mark.parametrize("look", [1e-5, 10.0])
def test_the_first_fifty_steps_are_always_seen(look: float) -> None:
    assert Training(0.001, 1e-3, look, 400).run().looks[:DENSE_STEPS] == list(range(1, DENSE_STEPS + 1))


def test_after_an_alarm_every_step_is_seen_for_a_while() -> None:
    budget = Budget(0.01, allowance=0.0)
    look, step_time = 1e-3, 1e-3
    seconds, looks = 0.0, list[int]()
    for step in range(1, 2001):
        if looked := budget.looks_at(step, seconds):
            looks.append(step)
        duration = step_time + look * looked
        seconds += duration
        budget.account(looked, look * looked, duration)
        if step == 1000:
            budget.alarm(step)
    assert set(range(1001, 1001 + ALARM_STEPS)) <= set(looks)
    assert len([step for step in looks if step > 1000 + ALARM_STEPS]) < 0.02 * 1000


@given(trainings, st.sets(st.integers(1, 1500)))
@settings(deadline=None, max_examples=60)
def test_alarms_spend_no_more_than_their_loan(plan: Training, alarms: set[int]) -> None:
    training = replace(plan, alarms=frozenset(alarms)).run()
    first = DENSE_STEPS * training.look_time
    for seconds, spent in zip(training.times, training.spent, strict=True):
        assert spent <= (max(first, training.allowance, (training.share or 0) * seconds) + LOAN) * ROUNDING


@pytest.mark.parametrize("look", [1e-5, 10.0])
def test_without_a_share_every_step_is_seen(look: float) -> None:
    assert Training(None, 1e-3, look, 400).run().looks == list(range(1, 401))


def test_gaps_do_not_beat_in_time_with_the_data() -> None:
    training = Training(0.01, 0.01, 0.01, 20_000, allowance=0.0).run()
    late = [step for step in training.looks if step > 6000]
    gaps = [b - a for a, b in itertools.pairwise(late)]
    assert len(set(gaps)) > 5


def test_deciding_when_to_look_leaves_the_random_numbers_of_the_script_alone() -> None:
    random.seed(5)
    before = random.getstate()
    Training(0.01, 0.01, 0.01, 500).run()
    assert random.getstate() == before


@given(trainings, st.sets(st.integers(51, 400)))
@settings(deadline=None, max_examples=40)
def test_no_look_is_due_within_the_steps_that_are_said_to_be_idle(plan: Training, alarms: set[int]) -> None:
    budget, seconds, idle_until = Budget(plan.share, plan.allowance), 0.0, 0
    for step in range(1, 400):
        looked = budget.looks_at(step, seconds)
        assert not (looked and step < idle_until)
        if not looked and step >= idle_until:
            idle_until = step + budget.idle_steps(step)
        cost = plan.look_time if looked else 0.0
        budget.account(looked, cost, plan.step_time + cost)
        seconds += plan.step_time + cost
        if step in alarms and step + 1 >= idle_until:  # an alarm ends what was said
            budget.alarm(step)


def test_steps_entered_at_once_count_as_much_as_one_after_the_other() -> None:
    once, single = Budget(0.01), Budget(0.01)
    for budget in (once, single):
        budget.account(True, 0.01, 0.05)
    once.account(False, 7 * 1e-5, 7 * 0.03, 7)
    for _ in range(7):
        single.account(False, 1e-5, 0.03)
    assert once.spent == pytest.approx(single.spent, rel=1e-12)
    for budget in (once, single):  # then the gap to the next look depends on how long a step takes
        budget.account(True, 100.0, 100.03)
        assert not budget.looks_at(60, 0.3)
    assert once.idle_steps(60) == pytest.approx(single.idle_steps(60), rel=1e-6)
