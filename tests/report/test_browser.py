"""The page as a reader meets it: opened in a browser, every control used."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from limen.journal import Run
from limen.report import write_html
from tests.report import hard_runs, runs
from tests.report.test_looks import GAP

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RUNS: dict[str, Callable[[], Run]] = {
    "sick": runs.sick,
    "healthy": runs.healthy,
    "vanishing": runs.vanishing,
    "one_step": runs.one_step,
    "nothing": runs.nothing,
    "all_nan": runs.all_nan,
    "hostile": hard_runs.hostile,
    "gap": lambda: GAP,
    "many": lambda: hard_runs.large(sites=30, rows=100),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="needs the Python package playwright: pip install playwright"
    )
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium: apt install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., tuple[Any, list[str]]]]:
    """Opens the report of a run; returns the page and a list that fills with whatever goes wrong."""
    contexts: list[Any] = []

    def open_(run: Run, **options: Any) -> tuple[Any, list[str]]:
        write_html(run, tmp_path / "report.html")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        wrong: list[str] = []

        def pass_on(route: Any) -> None:
            if route.request.url.startswith(("file:", "data:", "blob:")):
                route.continue_()
            else:
                wrong.append(f"request: {route.request.url}")
                route.abort()

        context.route("**/*", pass_on)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto((tmp_path / "report.html").as_uri())
        return page, wrong

    yield open_
    for context in contexts:
        context.close()


def until(page: Any, condition: str) -> None:
    """Wait for a condition, at most 10 s; the page's own policy forbids playwright's way of waiting."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {condition}")


def unfold_and_draw(page: Any) -> None:
    """Open every fold and bring every figure into view."""
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('svg.main-svg'))")


def use_every_control(page: Any) -> int:
    """Click, slide and choose; returns how many controls there were."""
    used = 0
    for control in page.locator("input[type=radio], input[type=checkbox], thead button").all():
        control.click(force=True)  # radio buttons lie invisible above their labels
        used += 1
    for slider in page.locator("input[type=range]:visible").all():
        for key in ("Home", "ArrowRight", "ArrowRight", "End"):
            slider.press(key)
        used += 1
    for picker in page.locator("select").all():
        for index in range(min(picker.locator("option").count(), 4)):
            picker.select_option(index=index)
        used += 1
    for link in page.locator("nav a").all():
        link.click()
        used += 1
    return used


@pytest.mark.parametrize("name", RUNS)
def test_every_control_works_without_an_error_or_a_request(opened: Any, name: str) -> None:
    page, wrong = opened(RUNS[name]())
    unfold_and_draw(page)
    assert use_every_control(page) >= 1
    page.wait_for_timeout(100)  # an error in a handler is told after it
    assert wrong == []


@pytest.mark.parametrize("name", ["sick", "hostile", "nothing"])
def test_a_phone_at_night_shows_it_all_without_scrolling_sideways(opened: Any, name: str) -> None:
    options = {"viewport": {"width": 375, "height": 740}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
    page, wrong = opened(RUNS[name](), **options)
    unfold_and_draw(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 24)"
    assert wrong == []


def test_figures_follow_when_the_reader_changes_to_dark(opened: Any) -> None:
    page, wrong = opened(runs.sick())
    unfold_and_draw(page)
    line = page.locator("#loss-curves .js-line").first
    before = line.evaluate("line => line.style.stroke")
    page.emulate_media(color_scheme="dark")
    until(page, f"document.querySelector('#loss-curves .js-line').style.stroke !== '{before}'")
    assert wrong == []


def test_the_switch_changes_title_and_map(opened: Any) -> None:
    page, wrong = opened(runs.sick())
    unfold_and_draw(page)
    page.get_by_label("Dead units", exact=True).check(force=True)
    assert page.locator("#activity h2").inner_text() == "87 of 128 units of relu1 died, 108 at 2 sites together"
    shown = page.evaluate("Math.max(...document.getElementById('activity-map').data[0].z.flat())")
    assert shown == pytest.approx(100 * 119 / 128, rel=5e-3)  # relu2 before it was treated; three digits
    assert wrong == []


def test_the_sliders_choose_the_step(opened: Any) -> None:
    page, wrong = opened(runs.sick())
    unfold_and_draw(page)
    for section, first in (("#gradient", "step 1"), ("#histograms", "step 1")):
        slider = page.locator(f"{section} input[type=range]")
        slider.press("Home")
        assert page.locator(f"{section} output").inner_text() == first
        slider.press("End")
    assert page.locator("#histograms output").inner_text() == "step 1,200"
    assert "of samples flat" in page.locator("#histograms .caption").inner_text()
    assert wrong == []


def test_sites_are_sorted_by_number_and_found_by_name(opened: Any) -> None:
    page, wrong = opened(RUNS["many"]())
    dead = page.locator("#sites thead button", has_text="Dead")
    column = "[...document.querySelectorAll('#sites tbody tr')].map(line => Number(line.cells[5].dataset.sort))"
    dead.click()
    assert page.evaluate(column) == sorted(page.evaluate(column), reverse=True)
    dead.click()
    assert page.evaluate(column) == sorted(page.evaluate(column))
    page.get_by_label("Find a site").fill("layers.7.")
    assert page.locator("#sites tbody tr:visible").count() == 2
    assert wrong == []


def test_hostile_names_are_read_as_text(opened: Any) -> None:
    page, wrong = opened(hard_runs.hostile())
    unfold_and_draw(page)
    assert (
        "<script>alert(1)</script><img src=x onerror=alert(2)>&amp; <!-- %{y} {{7*7}}"
        in page.locator(".member > summary").first.inner_text()
    )
    assert page.locator("img, iframe").count() == 0
    ticks = page.locator("#activity-map .ytick text").all_text_contents()
    assert len(ticks) == 5
    assert all(tick.startswith("</script><") for tick in ticks)
    assert wrong == []


def test_what_nobody_looked_at_is_hatched_and_the_sliders_pass_over_it(opened: Any) -> None:
    page, wrong = opened(GAP)
    unfold_and_draw(page)
    for figure in ("activity-map", "gradient-map", "loss-curves"):
        assert page.locator(f"#{figure} pattern").count() >= 1
        assert "not looked at" in page.locator(f"#{figure}").inner_text()
    slider, output = page.locator("#gradient input[type=range]"), page.locator("#gradient output")
    seen = set()
    for index in range(int(slider.get_attribute("max")) + 1):
        slider.evaluate(f"slider => {{ slider.value = {index}; slider.dispatchEvent(new Event('input')); }}")
        seen.add(output.inner_text())
    assert "step 100" in seen
    assert "step 399" not in seen
    assert wrong == []


def test_the_places_of_a_group_unfold_one_by_one(opened: Any) -> None:
    page, wrong = opened(runs.sick())
    second = page.locator(".member").nth(1)
    assert "16\u00a0% of units" in second.locator("summary").inner_text()
    assert not second.locator(".plot").first.is_visible()
    second.locator("summary").click()
    until(page, "document.querySelectorAll('.member')[1].querySelector('svg.main-svg')")
    assert page.locator(".finding.healed h3").inner_text() == "Units of relu3 were dying"
    assert wrong == []
