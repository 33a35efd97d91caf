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


@pytest.mark.parametrize(
    ("site", "title", "described"),
    [
        (SITE, "features.1", "features.1 (relu)"),
        (replace(SITE, name="1", path="1", function="tanh", layer="0"), "tanh after layer 0", "tanh after layer 0"),
        (replace(SITE, name="0.1", function="tanh", layer="0.0"), "tanh after layer 0.0", "tanh after layer 0.0"),
        (replace(SITE, name="1", layer=None), "relu at 1", "relu at 1"),
        (replace(SITE, name="", layer=None), "relu of the model", "relu of the model"),
        (replace(SITE, name="1#2", layer="0", call=2), "relu after layer 0, call 2", "relu after layer 0, call 2"),
        (replace(SITE, name="1.relu#2"), "1.relu#2", "1.relu#2 (relu)"),
    ],
)
def test_a_sentence_never_calls_a_site_by_a_mere_number(site: Site, title: str, described: str) -> None:
    assert (site.title, site.described) == (title, described)
