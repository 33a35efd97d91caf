import pytest

from benchmarks.keeping import row
from benchmarks.race import order
from benchmarks.ratios import Turn
from benchmarks.scaling import Case, Row, cells
from benchmarks.synchronisations import waits
from benchmarks.tables import per_cent, spread


@pytest.mark.parametrize(
    ("share", "text"), [(0.00123, "0.12"), (0.0123, "1.23"), (0.123, "12.3"), (1.23, "123"), (None, "–")]
)
def test_a_share_is_written_with_the_digits_that_mean_something(share: float | None, text: str) -> None:
    assert per_cent(share) == text


def test_a_ratio_is_written_as_a_cost_with_its_quartiles() -> None:
    assert spread((0.99, 1.01, 1.25)) == "+1.00 (-1.00 to +25.0)"


def test_small_costs_stand_close_together_in_every_round() -> None:
    modes = ["delve", "bare", "idle", "naive", "again", "default", "every-step"]
    rounds = [order(modes, number) for number in range(20)]
    assert all(sorted(turn) == sorted(modes) for turn in rounds)
    assert all(set(turn[5:]) == {"delve", "naive"} for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) > 10


def test_waits_are_synchronisations_and_fetches_only() -> None:
    events = [
        "cudaLaunchKernel",
        "cudaStreamSynchronize",
        "Memcpy DtoH (Device -> Pageable)",
        "Memcpy HtoD",
        "aten::mm",
    ]
    assert sum(waits(events).values()) == 2


@pytest.mark.parametrize(("own", "kept"), [(1.0, True), (1.9, False)])
def test_a_short_training_may_spend_half_of_the_free_seconds_and_half_of_the_share(own: float, kept: bool) -> None:
    bare, watched = Turn(2_000, 100.0, 100.0, None), Turn(2_000, 101.0, 101.0, own)
    result = row("mlp", [bare], [watched])
    assert result.cost == pytest.approx(0.01)
    assert result.allowed == pytest.approx((1.0 + 0.005 * 101) / 101)
    assert result.kept is kept


def test_a_case_is_one_line_of_the_scaling_table() -> None:
    result = Row(Case(1_000, 4_096, 12), 100.0, 2_000.0, 1_234.5, 50.24, 60.5, 6.026, 35_615.0)
    expected = "1,000", "4,096", "12", "none", "100", "2,000", "1,234", "50.2", "60.5", "6.03", "35,615"
    assert cells(result) == expected
