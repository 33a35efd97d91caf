"""Addresses are plain values."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from limen.sites import Parameter, Site

SITE = Site("features.1", "features.1", "relu", 1, 64, 1, "features.0", None, 3, False)
PARAMETER = Parameter("fc.weight", "fc", (10, 64), 7, True)


@pytest.mark.parametrize("value", [SITE, PARAMETER], ids=["site", "parameter"])
def test_an_address_is_equal_to_its_copy_and_can_be_a_key(value: Site | Parameter) -> None:
    for again in (copy.deepcopy(value), pickle.loads(pickle.dumps(value)), replace(value)):
        assert again == value
        assert {value: "here"}[again] == "here"


@pytest.mark.parametrize("value", [SITE, PARAMETER], ids=["site", "parameter"])
def test_an_address_cannot_be_changed(value: Site | Parameter) -> None:
    with pytest.raises(FrozenInstanceError):
        value.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("field", [field.name for field in fields(Site)])
def test_sites_that_differ_in_anything_are_different(field: str) -> None:
    changed = replace(SITE, **{field: "changed"})
    assert changed != SITE


def test_a_site_without_flat_sides_is_the_default() -> None:
    assert (SITE.flat_left, SITE.flat_right, SITE.dead_left, SITE.monotone, SITE.model) == (None, None, False, True, "")


@pytest.mark.parametrize("kind", [Site, Parameter])
def test_every_attribute_is_described(kind: type) -> None:
    described = kind.__doc__ or ""
    assert all(f"    {field.name}:" in described for field in fields(kind))
