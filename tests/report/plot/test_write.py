"""Pictures as files."""

import json
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from limen.errors import InvalidValue, MissingPackage, UnwritablePath
from limen.functions import look_up, panels
from limen.report.plot import Line, Panel, check_plot, write_plot
from limen.report.plot.page import page

SHOWN = panels([look_up("relu"), look_up("gelu")])


def test_each_type_is_what_its_name_says(tmp_path: Path) -> None:
    for name, begins in (("a.svg", b"<?xml"), ("a.html", b"<!doctype html>"), ("A.SVG", b"<?xml")):
        write_plot(SHOWN, tmp_path / name, title="relu, gelu")
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_png_is_one_and_wide_enough_for_its_panels(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_plot(SHOWN, tmp_path / "a.png", title="relu, gelu")
    content = (tmp_path / "a.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    assert struct.unpack(">II", content[16:24]) == (1920, 520)


def test_without_matplotlib_a_png_is_refused_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackage, match=r"pip install matplotlib\. An \.svg or \.html needs nothing more"):
        write_plot(SHOWN, tmp_path / "a.png", title="relu")
    assert list(tmp_path.iterdir()) == []
    write_plot(SHOWN, tmp_path / "a.svg", title="relu")


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svg.gz", ".svg"])
def test_other_types_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"expected a name that ends in \.svg, \.html or \.png"):
        check_plot(Path(name))


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match="there is no folder"):
        write_plot(SHOWN, tmp_path / "gone" / "a.svg", title="relu")


def test_the_page_holds_the_points_of_the_curves_and_loads_nothing() -> None:
    text = page(SHOWN, title="relu & gelu")
    assert "<title>relu &amp; gelu</title>" in text
    outside = text.replace(re.search(r"<script>.*?</script>", text, re.S)[0], "")  # type: ignore[index]
    assert not re.search(r"(src|href)=|https?://", outside)
    data = json.loads(re.search(r"const drawing = (.*);\n", outside)[1])  # type: ignore[index]
    assert [trace["name"] for trace in data["traces"]] == ["relu", "gelu"] * 3
    values = [y for y in data["traces"][1]["y"] if y is not None]
    np.testing.assert_allclose(values, SHOWN[0].lines[1].segments[0][1], rtol=1e-3, atol=1e-6)
    assert data["traces"][2]["y"].count(None) == 2  # the slope of relu is broken at 0


def test_a_hostile_name_ends_no_script() -> None:
    x = np.array([0.0, 1.0])
    name = "</script><script>alert(1)</script>%{x}"
    text = page([Panel("f", (Line(name, ((x, x),)),), (0.0, 1.0))], title=name)
    assert "alert(1)</script>" not in text
    assert "%{x}:" not in text
