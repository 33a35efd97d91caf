"""Three trainings from the same seeds: left sick, repaired while it runs, and a healthy control."""

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from limen.demo.data import Pictures, load
from limen.demo.narrator import Narrator, standings
from limen.demo.training import HIDDEN, RECIPES, Outcome, Recipe, train
from limen.report import check_writable, write_html, write_json
from limen.watch import Treat

__all__ = ["main"]


def main(
    *,
    data: str = "digits",
    report: Path = Path("limen-demo.html"),
    json: Path = Path("limen-demo.json"),
    console: Console | None = None,
    environment: dict[str, str] | None = None,
) -> int:
    """Train three networks, tell what happens to them, and write the report of the repaired one.

    Args:
        data: ``digits`` or ``fashion-mnist``.
        report: the HTML file to write.
        json: the JSON file to write.
        console: where to tell it; the terminal if None.
        environment: versions and machine, for the report.

    Returns:
        The exit code, 0.

    Raises:
        UnknownName: no data of that name (also a ``KeyError``).
        MissingPackage: the data's package is not installed (also an ``ImportError``).
        UnwritablePath: a report could not be written (also an ``OSError``).
    """
    began = time.monotonic()
    for path in (report, json):
        check_writable(path)
    pictures, screen = load(data), console or Console(highlight=False)
    recipe = RECIPES[data]
    introduce(screen, pictures, recipe)
    sick = act(screen, pictures, recipe, "1  Left sick", f"learning rate {recipe.sick_rate:g}", recipe.sick_rate)
    told = 'the same training, watched with treat="safe"'
    repaired = act(screen, pictures, recipe, "2  Repaired", told, recipe.sick_rate, treat="safe", brief=True)
    sane = f"the same training at learning rate {recipe.sane_rate:g}"
    healthy = act(screen, pictures, recipe, "3  Healthy control", sane, recipe.sane_rate)
    run = replace(repaired.run, environment=environment or {})
    write_html(run, report)
    write_json(run, json)
    screen.print()
    screen.print(standings([("left sick", sick), ("repaired", repaired), ("healthy control", healthy)]))
    took = Text(f"\nReport of the repaired training: {report} and {json}").append(
        f"   {time.monotonic() - began:.0f} s", "dim"
    )
    screen.print(took, soft_wrap=True)
    own = f"{limen_command(Path(sys.executable).parent, Path.cwd())} run your_script.py"
    screen.print(Text("Now your own: ").append(own, "bold"), soft_wrap=True)
    return 0


def limen_command(scripts: Path, folder: Path) -> str:
    """How to call the limen of the environment whose commands are in ``scripts`` for one who works in ``folder``."""
    command = scripts / "limen"
    if not command.exists():
        return "python -m limen"
    known = shutil.which("limen")
    if known is not None and Path(known).samefile(command):
        return "limen"
    return str(command.relative_to(folder) if command.is_relative_to(folder) else command)


def introduce(screen: Console, pictures: Pictures, recipe: Recipe) -> None:
    """What is trained, in three lines."""
    screen.print(Text.assemble(("limen demo", "bold cyan"), f"   {len(pictures.train):,} {pictures.title}"), end="")
    screen.print(f" to learn from, {len(pictures.test):,} others to be tested on")
    screen.print(Text(f"An ordinary network of 2 x {HIDDEN} ReLU units, SGD with momentum {recipe.momentum:g},", "dim"))
    screen.print(Text(f"gradients clipped to {recipe.clip:g}; three trainings, the same seeds.", "dim"))


def act(
    screen: Console, pictures: Pictures, recipe: Recipe, title: str, subtitle: str, rate: float, *,
    treat: Treat = "off", brief: bool = False,
) -> Outcome:  # fmt: skip
    """One training, told as it runs."""
    screen.print(Text.assemble("\n", (title, "bold"), ("   " + subtitle, "dim")))
    with Narrator(screen, recipe.steps(len(pictures.train)), brief=brief) as narrator:
        outcome = train(pictures, recipe, rate, treat=treat, listener=narrator)
    narrator.finish(outcome)
    return outcome
