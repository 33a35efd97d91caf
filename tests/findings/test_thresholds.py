import dataclasses
import inspect
import re

import pytest

from limen.findings import Thresholds
from limen.vitals import EVIDENCE

PAGE = inspect.getdoc(Thresholds) or ""


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Thresholds)])
def test_every_limit_says_what_it_is_and_where_its_default_comes_from(name: str) -> None:
    entry = re.search(rf"^    {name}: (.+?)(?=^    \w+: |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert entry is not None
    assert "From:" in entry[1]


def test_the_evidence_for_dead_units_is_the_documented_one() -> None:
    assert Thresholds().evidence == EVIDENCE
    assert Thresholds(samples=50).evidence.samples == 50
