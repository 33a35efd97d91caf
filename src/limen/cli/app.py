"""The commands. Each reads its options and hands over; what is said about a mistake is one line on stderr."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from limen import __version__
from limen.cli.explain import explain as explain_name
from limen.cli.explain import list_names
from limen.cli.job import Job
from limen.cli.options import FailOn, Treat, run_options
from limen.cli.places import check_report
from limen.errors import LimenError
from limen.launch import module_target, script_target

__all__ = ["app", "main"]

USAGE = 2

app = typer.Typer(
    name="limen",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Looks after the activation functions of a PyTorch training: watches, diagnoses, repairs.",
)


def main() -> NoReturn:
    """The ``limen`` command; leaves the process."""
    try:
        result: object = app(prog_name="limen", standalone_mode=False)
    except typer.TyperException as mistake:
        _usage(mistake)
    except LimenError as error:
        told = str(error)  # most name the command that they are about
        print(told if told.startswith("limen ") else f"limen: {told}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    except typer.Abort:
        raise SystemExit(1) from None
    if isinstance(result, Job):
        result.start()  # here, outside of the command parser: nothing of it may stand between python and the script
    raise SystemExit(result if isinstance(result, int) else 0)


def _usage(mistake: typer.TyperException) -> NoReturn:
    context = getattr(mistake, "ctx", None)
    command: str = getattr(context, "command_path", "limen")
    message = mistake.format_message().replace("Value error, ", "").strip()
    if not message or "\n" in message:  # no command at all: the message is the help
        print(message or app.info.help, file=sys.stderr)
    else:
        print(f"{command}: {message.rstrip('.')}. Try: {command} --help", file=sys.stderr)
    raise SystemExit(USAGE)


def _version(asked: bool) -> None:
    if asked:
        print(f"limen {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


@app.command(context_settings={"allow_interspersed_args": False})
def run(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", hidden=True)],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGUMENTS", hidden=True)] = None,
    module: Annotated[bool, typer.Option("-m", help="SCRIPT is the name of a module, as in python -m.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="PATH.html", help="The HTML report.  [default: limen-report.html]")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH.json", help="The same as JSON.  [default: none]")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH.limen",
            help="Keep the run file, for limen report.  [default: a temporary one, kept if the script fails]",
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Share of the run that watching may cost (0.01, 1%), or 2 s where that is more; 'every': all steps.",
        ),
    ] = "0.01",
    treat: Annotated[Treat, typer.Option(metavar="off|safe", help="Repairs that may be made while it runs.")] = "off",
    strict: Annotated[bool, typer.Option("--strict", help="Raise limen's own errors.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing unless the network is sick.")] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(metavar="warning|error", help="Exit with 3 when this is found.  [default: never]"),
    ] = None,
) -> Job:
    """Watch an unmodified script.

    SCRIPT runs as `python SCRIPT ARGUMENTS` would. Options of limen come before it: all that follows SCRIPT is its own.

    Reports take the place of older ones. A run that lies where the journal goes is kept: it is renamed to NAME.limen.1
    and so on.
    """
    options = run_options(
        report=report,
        json=json,
        journal=journal,
        budget=budget,
        treat=treat,
        strict=strict,
        quiet=quiet,
        fail_on=fail_on,
    )
    own = tuple(arguments or ())
    return Job(module_target(script, own) if module else script_target(script, own), options)


@app.command()
def check(
    subject: Annotated[str, typer.Argument(metavar="MODULE:FACTORY", hidden=True)],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="Such as 8x3x224x224 or 8x16:int64; once for each argument.  [default: guessed from the first layer]",
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(metavar="FILE.safetensors", help="Sample and target (a tensor named target, labels or y)."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What trains it: cross-entropy, nll, bce, bce-with-logits, mse, l1, smooth-l1, huber or kl-div.",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH.json", help="The result as JSON.  [default: none]")] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(metavar="warning|error", help="Exit with 3 when this is found.  [default: never]"),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Show what Preflight.fix() would change, and what is left after it.")
    ] = False,
) -> int:
    """Check a model before it is trained, from one pass over a sample.

    MODULE is a module or a file, FACTORY a function, a class or a model in it: net:build, src/net.py:Net. The function
    is called without arguments; it may return a pair of the model and a sample. The module is imported, so a training
    in it belongs under `if __name__ == "__main__":`.
    """
    from limen.cli.check import CheckOptions
    from limen.cli.check import check as check_model  # loads torch
    from limen.cli.places import check_writable

    where = check_writable(json, "--json") if json is not None else None
    return check_model(CheckOptions(subject, tuple(inputs or ()), batch, loss, where, fail_on, fix), sys.stdout)


@app.command()
def explain(
    name: Annotated[list[str] | None, typer.Argument(metavar="NAME", hidden=True)] = None,
) -> None:
    """The manual page of NAME: a symptom, cause, remedy, word or activation; without NAME, all that have one.

    Case, spaces, hyphens and underscores do not matter.
    """
    if name:
        explain_name(" ".join(name), Console())
    else:
        list_names(Console(highlight=False))


@app.command()
def functions(
    name: Annotated[list[str] | None, typer.Argument(metavar="NAME", hidden=True)] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the function, such as alpha=0.5; once for each parameter."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Only those with all of these properties: smooth,odd,not-bounded."),
    ] = None,
    compare: Annotated[str | None, typer.Option(metavar="NAMES", help="Several side by side: relu,gelu,silu.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw into an .svg, .html or .png instead.")] = None,
    x: Annotated[
        str | None, typer.Option("--x", metavar="LOW:HIGH", help="Draw from here to there.  [default: by the function]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """The catalogue of activation functions; with NAME the sheet of one, with its value, slope and curvature drawn.

    NAME may also be a function of your own, MODULE:FUNCTION or src/net.py:act: its properties are then found
    numerically.

    In the table slope is the steepest there is (the Lipschitz constant), and bytes the least that a backward pass must
    keep of each element in float32. In formulas s is the logistic function.

    Words for --where: monotone, bounded, saturates-left, saturates-right, smooth, continuous, odd, even, convex,
    concave, homogeneous, periodic, nonexpansive, can-die, elementwise, gated, head; each also with not- before it.
    """
    from limen.cli.functions import FunctionOptions
    from limen.cli.functions import functions as print_functions

    print_functions(
        FunctionOptions(tuple(name or ()), tuple(parameter or ()), where, compare, plot, x, json), sys.stdout
    )


@app.command()
def report(
    journals: Annotated[
        list[Path],
        typer.Argument(
            metavar="JOURNAL...", help="A run file, also of a killed run; of many ranks all, or their folder."
        ),
    ],
    html: Annotated[Path | None, typer.Option(metavar="PATH.html", help="Write the HTML report.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH.json", help="Write the JSON report.")] = None,
) -> None:
    """Make the reports again from a run file alone, or from those of all ranks as one run."""
    from limen.cli.delivery import print_verdict, written
    from limen.journal import read_all
    from limen.report import write_html, write_json

    for path, option in ((html, "--html"), (json, "--json")):
        if path is not None:
            check_report(path, option)
    seen = read_all(journals)
    print_verdict(seen, sys.stdout)
    reports = (("report", write_html, html), ("JSON", write_json, json))
    lines = [written(name, write, seen, path, Path.cwd()) for name, write, path in reports if path is not None]
    if lines:
        print(" · ".join(lines), file=sys.stderr)


@app.command()
def env() -> None:
    """Versions, machine, and how limen computes its statistics here."""
    from limen.environment import facts

    for name, value in facts(devices=True).items():
        print(f"{name:<12}{value}")


@app.command()
def demo(
    data: Annotated[str, typer.Option(metavar="NAME", help="digits or fashion-mnist.")] = "digits",
    report: Annotated[Path, typer.Option(metavar="PATH.html", help="The HTML report.")] = Path("limen-demo.html"),
    json: Annotated[Path, typer.Option(metavar="PATH.json", help="The same as JSON.")] = Path("limen-demo.json"),
) -> int:
    """A real, sick training on real data: watched, repaired, reported."""
    from limen.demo import main as run_demo
    from limen.environment import facts

    return run_demo(data=data, report=report, json=json, environment=facts())
