"""A table of bounded length keeps evenly spaced rows, the first one always."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from limen.probe.rows import FEWEST, LONGEST, MOST, Room, Rows
from limen.vitals import Table


@given(longest=st.integers(1, 40), offered=st.integers(0, 1500))
def test_the_rows_kept_are_evenly_spaced_from_the_first_to_near_the_last(longest: int, offered: int) -> None:
    rows = Rows(2, longest)
    for step in range(1, offered + 1):
        rows.append(step, step**2)
    steps = rows.column(0)
    assert len(steps) == len(rows) <= longest
    assert rows.column(1).tolist() == [float(step**2) for step in steps]
    if offered:
        assert steps[0] == 1
        stride = 1 << max(0, -(-offered // longest) - 1).bit_length()  # the smallest power of two that fits
        assert steps.tolist() == list(range(1, offered + 1, stride))


@given(longest=st.integers(1, 20), offered=st.integers(1, 200))
def test_append_says_whether_the_row_was_kept(longest: int, offered: int) -> None:
    rows = Rows(1, longest)
    for step in range(1, offered + 1):
        kept = rows.append(step)
        assert kept == (step in rows.column(0))


@given(longest=st.integers(1, 20), offered=st.integers(1, 200))
def test_only_the_row_offered_last_can_be_amended(longest: int, offered: int) -> None:
    rows = Rows(2, longest)
    for step in range(1, offered + 1):
        rows.append(step, 0.0)
        rows.amend(1, step)  # known only later; lost where the row was not kept
    assert rows.column(1).tolist() == rows.column(0).tolist()


def test_amending_an_empty_table_changes_nothing() -> None:
    rows = Rows(2)
    rows.amend(1, 5.0)
    assert len(rows) == 0


@given(longest=st.integers(1, 80), offered=st.integers(1, 300), less=st.integers(1, 80), amended=st.booleans())
def test_what_was_read_stays_as_it_was_whatever_comes_later(
    longest: int, offered: int, less: int, amended: bool
) -> None:
    room = Room(longest)
    rows = Rows(3, room=room, whole=(0, 2))
    read: list[tuple[Table, list[list[float]]]] = []
    for step in range(1, offered + 1):
        if step == offered // 2:
            room.longest = min(less, longest)
        if step % 3:
            rows.append(step, 0.5 * step, -step)
        else:
            rows.extend(np.array([step]), np.array([[0.5 * step, -step]]))
        read.append((rows.table(), [rows.column(i).tolist() for i in range(3)]))
        if amended:
            rows.amend(1, 7.0)
    for table, then in read:
        assert [table.column(i).tolist() for i in range(3)] == then


def test_a_column_is_a_copy() -> None:
    rows = Rows(2)
    rows.append(1, 5.0)
    rows.column(1)[0] = 9.0
    assert rows.column(1).tolist() == [5.0]


def test_whole_numbers_are_kept_as_such() -> None:
    rows = Rows(3, whole=(0, 2))
    rows.append(2**53 + 1, 0.1, 3)
    rows.extend(np.array([2**53 + 3]), np.array([[0.2, 4.0]]))
    assert [rows.column(i).dtype for i in range(3)] == [np.int64, np.float64, np.int64]
    assert [rows.column(i).tolist() for i in range(3)] == [[2**53 + 1, 2**53 + 3], [0.1, 0.2], [3, 4]]


@given(longest=st.integers(1, 80), parts=st.lists(st.integers(0, 20), max_size=20))
def test_several_rows_at_once_are_the_same_as_one_after_the_other(longest: int, parts: list[int]) -> None:
    together, apart = Rows(3, longest), Rows(3, longest)
    step = 0
    for part in parts:
        steps = np.arange(step + 1, step + part + 1)
        table = np.column_stack([np.sqrt(steps), -1.0 * steps])
        together.extend(steps, table)
        for number, row in zip(steps.tolist(), table.tolist(), strict=True):
            apart.append(number, *row)
        step += part
        assert [together.column(i).tolist() for i in range(3)] == [apart.column(i).tolist() for i in range(3)]
        assert together.keeps_next == apart.keeps_next
        for rows in (together, apart):
            rows.amend(1, -7.0)  # only where the last row was kept


def test_a_million_steps_take_the_memory_of_the_longest_table() -> None:
    rows = Rows(1)
    for step in range(1, 1_000_001):
        rows.append(step)
    steps = rows.column(0)
    assert LONGEST // 2 <= len(steps) <= LONGEST
    assert len(set(np.diff(steps))) == 1


@given(longest=st.integers(1, 40), offered=st.integers(1, 300), again=st.integers(1, 300), less=st.integers(1, 40))
def test_a_table_that_must_become_shorter_keeps_evenly_spaced_rows(
    longest: int, offered: int, again: int, less: int
) -> None:
    room = Room(longest)
    rows = Rows(2, room=room)
    for step in range(1, offered + again + 1):
        if step == offered + 1:
            room.longest = min(less, longest)
        expected = rows.keeps_next
        assert rows.append(step, 0.0) == expected
        rows.amend(1, step)
    steps = rows.column(0).tolist()
    assert len(set(np.diff(steps))) <= 1
    assert steps[0] == 1
    assert rows.column(1).tolist() == steps


def test_many_series_share_a_bounded_number_of_rows() -> None:
    room = Room()
    tables = [Rows(1, room=room) for _ in range(100)]
    assert room.longest == LONGEST
    tables += [Rows(1, room=room) for _ in range(900)]
    for step in range(1, 1_000):
        for rows in tables:
            rows.append(step)
    assert room.longest >= FEWEST
    assert sum(map(len, tables)) <= MOST
