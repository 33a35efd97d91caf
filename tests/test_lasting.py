"""Numbers in memory of their own: as given, apart from each other, gone when nobody holds them."""

import copy
import ctypes
import gc
import mmap
import os
import pickle
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.lasting import ALIGNED, SLAB, LastingArray, Memory

KINDS = ["u1", "u2", "u4", "i8", "f8"]
PAIR = np.dtype([("step", "i8"), ("value", "f8")])


def mapped() -> list[int]:
    """Sizes of the mappings that are alive."""
    gc.collect()
    return [len(one) for one in gc.get_objects() if type(one) is mmap.mmap]


@given(
    lengths=st.lists(st.integers(0, 40_000), min_size=1, max_size=30),
    kinds=st.lists(st.sampled_from(KINDS), min_size=30, max_size=30),
)
def test_arrays_hold_what_they_were_given_and_none_reaches_into_another(lengths: list[int], kinds: list[str]) -> None:
    memory = Memory()
    given_ = [
        np.arange(i, i + length).astype(kind) for i, (length, kind) in enumerate(zip(lengths, kinds, strict=False))
    ]
    copies = [memory.copy(numbers) for numbers in given_]
    zeros = [memory.zeros(length, kind) for length, kind in zip(lengths, kinds, strict=False)]
    for lasting, numbers in zip(copies, given_, strict=True):
        assert lasting.numbers().dtype == numbers.dtype
        np.testing.assert_array_equal(lasting.numbers(), numbers)
        assert lasting.tobytes() == numbers.tobytes()
        assert (len(lasting), lasting.nbytes) == (len(numbers), numbers.nbytes)
    assert not any(lasting.numbers().any() for lasting in zeros)


@pytest.mark.parametrize("length", [1, 100, SLAB // 8, SLAB])
def test_the_address_is_where_the_numbers_lie(length: int) -> None:
    memory = Memory()
    for _ in range(3):
        lasting = memory.zeros(length, np.float64)
        lasting.open()[-1] = 2.5
        assert lasting.address % ALIGNED == 0
        assert ctypes.c_double.from_address(lasting.address + 8 * (length - 1)).value == 2.5


def test_a_reader_has_a_copy_and_a_writer_is_read() -> None:
    lasting = Memory().copy(np.arange(4))
    lasting.numbers()[0] = 7
    assert lasting.numbers().tolist() == [0, 1, 2, 3]
    lasting.open()[0] = 9
    assert lasting.numbers().tolist() == [9, 1, 2, 3]


def test_rows_of_several_columns_last_too() -> None:
    lasting = Memory().zeros(3, PAIR)
    lasting.open()[1] = (7, 0.5)
    assert lasting.numbers()["step"].tolist() == [0, 7, 0]


def test_memory_goes_back_once_nobody_holds_what_is_in_it() -> None:
    before = len(mapped())
    memory = Memory()
    held = [memory.copy(np.zeros(SLAB // 8, np.uint8)) for _ in range(64)]
    assert len(mapped()) - before == 8
    del held[:-1]
    assert len(mapped()) - before == 1
    large = memory.zeros(SLAB, np.float64)
    assert len(mapped()) - before == 2
    array = large.open()
    del large
    array[-1] = 1.0  # an array keeps its memory
    del array
    assert len(mapped()) - before == 1


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "deepcopy", "pickle"]
)
def test_a_copy_is_of_other_memory(again: Callable[[LastingArray], LastingArray]) -> None:
    lasting = Memory().copy(np.arange(5))
    other = again(lasting)
    lasting.open()[0] = 9
    assert other.numbers().tolist() == [0, 1, 2, 3, 4]


def test_threads_do_not_share_what_they_take() -> None:
    memory, found = Memory(), list[list[LastingArray]]()

    def take(number: int) -> None:
        found.append([memory.copy(np.full(50, number)) for _ in range(200)])

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for taken in found:
        (number,) = set(taken[0].numbers().tolist())
        assert all((lasting.numbers() == number).all() for lasting in taken)
    assert len({lasting.numbers()[0] for taken in found for lasting in taken}) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_writes_to_memory_of_its_own() -> None:
    lasting = Memory().copy(np.arange(3))
    child = os.fork()
    if child == 0:
        lasting.open()[:] = 9
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert lasting.numbers().tolist() == [0, 1, 2]
