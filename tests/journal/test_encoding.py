"""JSON and blobs there and back, and what is refused on the way back."""

import json
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from limen.findings import Finding
from limen.journal import TreatmentRecord
from limen.journal.encoding import array_of, blob_of, to_json, value_of
from limen.vitals import Narrow
from tests.journal.runs import Maker, differences


@given(number=st.integers(0, 100))
def test_findings_and_treatments_survive_json(number: int) -> None:
    finding, treatment = Maker(number).finding(number % 7), Maker(number).treatment(number)
    assert differences(finding, value_of(Finding, json.loads(to_json(finding)))) == []
    assert differences(treatment, value_of(TreatmentRecord, json.loads(to_json(treatment)))) == []


@given(text=st.text(st.characters(codec=None)), value=st.floats())
def test_any_text_and_any_number_survive_json_in_ascii(text: str, value: float) -> None:
    written = to_json({text: np.float64(value)})
    assert written.isascii()
    # two halves of a surrogate pair, which no program makes by accident, become the character they stand for
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert differences(value_of(dict[str, float], json.loads(written)), {whole: value}) == []


def test_what_json_cannot_hold_is_named() -> None:
    with pytest.raises(TypeError, match="a journal cannot hold a set"):
        to_json({1, 2})


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (int, 1.0),
        (int, True),
        (int, 2**63),
        (float, "1"),
        (float, 10**400),
        (bool, 1),
        (str, None),
        (str | None, 3),
        (tuple[int, ...], "12"),
        (tuple[int, ...], [1, "2"]),
        (dict[str, float], [1.0]),
        (dict[str, float], {"a": None}),
        (Literal["info", "error"], "fatal"),
        (Finding, []),
        (TreatmentRecord, {"name": "x"}),
        (TreatmentRecord, {"name": "x", "where": "", "step": 1, "kept": True, "detail": "", "__class__": "x"}),
    ],
)
def test_a_value_of_another_type_is_refused(kind: Any, raw: object) -> None:
    with pytest.raises(ValueError, match=r"expected|missing|unknown"):
        value_of(kind, raw)


def test_a_field_that_is_absent_keeps_its_default() -> None:
    found = value_of(TreatmentRecord, {"name": "x", "where": "", "step": 1, "kept": True, "detail": ""})
    assert found == TreatmentRecord("x", "", 1, True, "")


@given(array=arrays.arrays(np.float64, st.integers(0, 20)))
def test_floats_survive_as_bytes_bit_for_bit(array: np.ndarray) -> None:
    dtype, data = blob_of(array)
    assert (dtype, len(data)) == ("<f8", 8 * len(array))
    assert array_of(dtype, data, len(array), "f").tobytes() == array.tobytes()


@given(array=arrays.arrays(np.int64, st.integers(0, 20)))
def test_integers_survive_as_bytes_exactly(array: np.ndarray) -> None:
    found = array_of(*blob_of(array), len(array), "i")
    assert found.dtype == np.int64
    assert found.flags.writeable
    assert found.tolist() == array.tolist()


@given(array=arrays.arrays(np.int64, st.integers(0, 20)))
def test_what_is_kept_narrow_survives_as_narrow_bytes(array: np.ndarray) -> None:
    narrow = Narrow.of(array)
    dtype, data = blob_of(narrow)
    assert len(data) == narrow.nbytes
    assert array_of(dtype, data, len(array), "i").tolist() == array.tolist()


@pytest.mark.parametrize(
    ("dtype", "data", "length", "kind"),
    [
        ("<u2+5", bytes(3), 2, "i"),
        ("<u2+5", bytes(4), 2, "f"),
        ("<u2", bytes(4), 2, "i"),
        ("<u2+5 ", bytes(4), 2, "i"),
        (">u2+5", bytes(4), 2, "i"),
        ("<u2+9223372036854775808", bytes(4), 2, "i"),
        ("=+5", bytes(2), 2, "i"),
        ("=+5", b"", -1, "i"),
        ("=+5", b"", 2, "f"),
        ("<f8", bytes(16), 2, "i"),
        ("<i8", bytes(16), 2, "f"),
        ("<f8", bytes(15), 2, "f"),
        ("<f8", bytes(24), 2, "f"),
        ("<f8", bytes(0), -1, "f"),
        ("<f8", "text", 2, "f"),
        ("<f8", None, 0, "f"),
        ("|O", bytes(16), 2, "f"),
        (None, bytes(16), 2, "f"),
        (3, bytes(16), 2, "f"),
    ],
)
def test_a_blob_of_another_kind_or_length_is_refused(dtype: object, data: object, length: int, kind: Any) -> None:
    with pytest.raises(ValueError, match="array of"):
        array_of(dtype, data, length, kind)
