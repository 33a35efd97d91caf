"""A snapshot answers by name."""

from limen.vitals import Vitals
from tests.vitals.test_evidence import RELU, vitals


def test_a_site_is_found_by_its_name() -> None:
    seen = Vitals(step=3, sites=(vitals(RELU),))
    assert seen.site("1") is seen.sites[0]
    assert seen.site("2") is None


def test_an_unknown_parameter_is_none() -> None:
    assert Vitals().parameter("fc.weight") is None
