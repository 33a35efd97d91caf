import json
from importlib.resources import files
from typing import Any

import pytest
import torch

from limen.activations import describe, names
from limen.functions import catalogue, look_up, of_description, to_json
from tests.report.schema import violations

SCHEMA = json.loads((files("limen.functions") / "schema-1.json").read_text(encoding="utf-8"))


def strictly(*subjects: Any) -> Any:
    return json.loads(json.dumps(to_json(subjects), allow_nan=False))


def test_the_whole_catalogue_keeps_to_the_shipped_schema() -> None:
    told = strictly(*catalogue())
    assert list(violations(told, SCHEMA, SCHEMA)) == []
    assert [one["name"] for one in told["functions"]] == list(names())
    known = set(SCHEMA["$defs"]["function"]["properties"])
    assert all(set(one) <= known for one in told["functions"])


@pytest.mark.parametrize("function", [torch.exp, torch.floor, torch.log, torch.ones_like, lambda x: (x * x).sqrt()])
def test_described_functions_keep_to_the_schema(function: Any) -> None:
    told = strictly(of_description(describe(function)))
    assert list(violations(told, SCHEMA, SCHEMA)) == []
    assert told["functions"][0]["kind"] == "described"
    assert set(told["functions"][0]) <= set(SCHEMA["$defs"]["function"]["properties"])


def test_numbers_come_back_as_they_are_on_the_sheet() -> None:
    subject = look_up("elu", alpha=0.5)
    (told,) = strictly(subject)["functions"]
    assert tuple(map(float, told["range"])) == subject.sheet.range  # "inf" is read by float()
    assert told["lipschitz"] == subject.sheet.lipschitz
    assert told["parameters"] == {"alpha": 0.5}
    assert told["saved_bytes"] == 4.0


def test_the_schema_misses_what_is_left_out() -> None:
    told = strictly(look_up("relu"))
    del told["functions"][0]["lipschitz"]
    assert list(violations(told, SCHEMA, SCHEMA)) == ["$.functions[0]: lipschitz is missing"]
