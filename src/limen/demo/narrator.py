"""The demo's voice: a live line while a network trains, and above it what is found and repaired."""

import math
import textwrap
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from limen.demo.news import Line, Told, healed, news
from limen.demo.training import Outcome
from limen.progress import Progress
from limen.report.words import tied

__all__ = ["Narrator", "standings"]

WIDTH = 100  # columns, at most: longer lines are hard to read
GUTTER = 13  # columns before the text: an indent, the longest label and two spaces
BAR = 24  # columns of the bar of dead units

STYLES = {"found": "bold red", "repaired": "bold green", "healed": "bold green", "result": "bold"}


class Narrator:
    """Tells one training as it runs; a context manager around it.

    Args:
        console: where to.
        steps: training steps it will take.
        brief: leave out units and evidence of what is found.
    """

    def __init__(self, console: Console, steps: int, *, brief: bool = False) -> None:
        self._console = console
        self._steps = steps
        self._brief = brief
        self._told = Told()
        self._live = Live(console=console, transient=True, refresh_per_second=25) if console.is_terminal else None

    def __enter__(self) -> "Narrator":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Tell what is new, and redraw the live line."""
        lines, self._told = news(self._told, progress.findings, progress.treatments, brief=self._brief)
        for line in lines:
            self.say(line)
        if self._live is not None:
            self._live.update(live_line(progress, self._steps))

    def finish(self, outcome: Outcome) -> None:
        """Tell what came to light at the very end, and how the training went."""
        run = outcome.run
        lines, self._told = news(self._told, run.findings, run.treatments, brief=self._brief)
        lines = (*lines, *healed(run.findings))
        if not self._told.found:
            lines = (*lines, Line("found", f"nothing: {len(run.vitals.sites)} sites, {run.vitals.step} steps watched"))
        for line in lines:
            self.say(line)
        dead = f"{outcome.dead} of {outcome.units} units dead at the end"
        self.say(Line("result", f"{dead}; {100 * outcome.accuracy:.1f} % of the test pictures right"))

    def say(self, line: Line) -> None:
        """One labelled paragraph, wrapped beside its label."""
        quiet = line.label == "found" and line.text.startswith("nothing")
        style = "green" if quiet else STYLES.get(line.label, "dim")
        room = min(self._console.width, WIDTH) - GUTTER
        for index, words in enumerate(textwrap.wrap(tied(line.text), room, break_on_hyphens=False)):
            label = f"   {'' if index else line.label}".ljust(GUTTER)
            self._console.print(Text.assemble((label, style), words.replace("\u00a0", " ")), soft_wrap=True)


def live_line(progress: Progress, steps: int) -> Text:
    """Step, loss and the dead share of the worst site as a bar."""
    loss = "" if math.isnan(progress.loss) else f"loss {progress.loss:<9.3g}"
    dead = round(BAR * progress.dead_share)
    line = Text(f"   step {progress.step:>4} of {steps}   {loss}  ")
    line.append("█" * dead, "red").append("█" * (BAR - dead), "green")
    return line.append(f"  {progress.worst_site or 'all sites'} {100 * progress.dead_share:.0f} % dead")


def standings(rows: list[tuple[str, Outcome]]) -> Table:
    """The trainings side by side: learning rate, dead units, accuracy on the test pictures."""
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    for title, justify in (
        ("", "left"),
        ("learning rate", "left"),
        ("dead units", "right"),
        ("test accuracy", "right"),
    ):
        table.add_column(title, justify="right" if justify == "right" else "left")
    best = max(outcome.accuracy for _, outcome in rows)
    for name, outcome in rows:
        close = outcome.accuracy >= best - 0.05
        table.add_row(
            Text(name, "bold"),
            " → ".join(f"{rate:.3g}" for rate in outcome.rates),
            f"{outcome.dead} of {outcome.units}",
            Text(f"{100 * outcome.accuracy:.1f} %", "bold green" if close else "bold red"),
        )
    return table
