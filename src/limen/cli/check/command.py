"""One ``limen check``: build, call, look, print."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch
from rich.console import Console
from rich.text import Text
from torch import nn

from limen import __version__
from limen.cli.check.inputs import guesses, tensor_of
from limen.cli.check.safetensors import batch_of, read
from limen.cli.check.subject import build, find
from limen.cli.options import FAILED_BY_FINDINGS, FailOn, forbids
from limen.cli.places import shown
from limen.errors import InvalidValue, SampleRefused, UnwritablePath
from limen.preflight import Fix, Preflight, preflight
from limen.preflight.words import laid_out
from limen.report.text import STYLES

__all__ = ["CheckOptions", "check"]

WIDTH = 96
LABELS = {"error": "error", "warning": "warning", "info": "info", "limen": "title"}
"""The style of what stands in the gutter, by its word."""
WORDS = {
    "error": "error",
    "warning": "warning",
    "healthy": "healed",
    "title": "title",
    "label": "label",
    "note": "label",
}
"""The style of a line, by its kind."""


@dataclass(frozen=True)
class CheckOptions:
    """What was asked of one ``limen check``.

    Attributes:
        subject: ``MODULE:FACTORY``.
        inputs: shapes, one for each argument of the model.
        batch: a safetensors file with sample and target.
        loss: name of the loss.
        json: where the JSON goes.
        fail_on: severity from which the exit code is 3.
        fix: mend what can be mended, show what that changes, and check again.
    """

    subject: str
    inputs: tuple[str, ...] = ()
    batch: Path | None = None
    loss: str | None = None
    json: Path | None = None
    fail_on: FailOn | None = None
    fix: bool = False


def check(options: CheckOptions, stream: TextIO) -> int:
    """Check a model and print the verdict; returns the exit code.

    Raises:
        InvalidValue: the model cannot be built, or no sample for it found (also a ``ValueError``).
        SampleRefused: the model does not take the sample (also a ``ValueError``).
        UnwritablePath: the JSON cannot be written (also an ``OSError``).
    """
    if options.inputs and options.batch is not None:
        raise InvalidValue("limen check: --input and --batch were both given. Give one of them.")
    torch.manual_seed(0)  # the same weights, and the same figures, each time
    model, given = build(find(options.subject), options.subject)
    result, said = checked(model, given, options)
    show(result, stream)
    if said:
        print(f"sample    {said}, guessed from the first layer; --input says otherwise", file=stream)
    if options.json is not None:
        save(result, options)
    if options.fix and result.verdict == "sick":
        made = result.fix(generator=torch.Generator().manual_seed(0))
        show_fix(made, stream)
        left, _ = checked(model, given, options)
        show(left, stream)  # the exit code and the JSON are of the model as its file has it
    return code(result, options.fail_on)


def checked(model: nn.Module, given: Any, options: CheckOptions) -> tuple[Preflight, str]:
    """The result, and the shape that was guessed; empty where a sample was given."""
    if options.batch is not None:
        sample, target = batch_of(read(options.batch), options.batch)
        return preflight(model, sample, loss=options.loss, target=target), ""
    if options.inputs:
        tensors = tuple(tensor_of(text, model) for text in options.inputs)
        return preflight(model, tensors[0] if len(tensors) == 1 else tensors, loss=options.loss), ""
    if given is not None:
        return preflight(model, given, loss=options.loss), ""
    refused: SampleRefused | None = None
    for text, sample in guesses(model):
        try:
            return preflight(model, sample, loss=options.loss), text
        except SampleRefused as error:
            refused = refused or error
    why = f" What was tried: {refused}" if refused is not None else ""
    raise InvalidValue(
        f"limen check {options.subject}: what the model is called with cannot be guessed. Say it: --input "
        f"8x3x224x224, once for each argument; or --batch FILE.safetensors.{why}"
    )


def show(result: Preflight, stream: TextIO) -> None:
    """The verdict; in colour and as wide as the window on a terminal."""
    console = Console(file=stream, highlight=False)
    width = min(WIDTH, console.width) if stream.isatty() else WIDTH
    for label, words, kind in laid_out(result, width=width):
        left = label.ljust(10)
        if not stream.isatty():
            stream.write(f"{left}{words}".rstrip() + "\n")
            continue
        styles = (
            STYLES[LABELS.get(label.strip(), "label")],
            STYLES[WORDS.get(kind, "label" if kind == "note" else "text")],
        )
        console.print(Text.assemble((left, styles[0]), (words, styles[1])), soft_wrap=True)


def show_fix(made: Fix, stream: TextIO) -> None:
    """What a fix changes, as a diff; what it leaves below."""
    console = Console(file=stream, highlight=False)
    stream.write("\nfix() changes:\n" if made.changes else "\nfix() changes nothing:\n")
    for line in str(made).splitlines():
        style = {"-": "red", "+": "green"}.get(line[:1], "")
        console.print(Text(line, style if stream.isatty() else ""), soft_wrap=True)
    stream.write("\n")


def save(result: Preflight, options: CheckOptions) -> None:
    """Write the JSON.

    Raises:
        UnwritablePath: it could not be written (also an ``OSError``).
    """
    assert options.json is not None
    held = {"limen": __version__, "subject": options.subject, **result.to_json()}
    try:
        options.json.write_text(json.dumps(held, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnwritablePath(f"--json: {options.json} could not be written ({error.strerror}).") from error
    print(f"JSON: {shown(options.json, Path.cwd())}", file=sys.stderr)


def code(result: Preflight, fail_on: FailOn | None) -> int:
    """3 where ``--fail-on`` forbids what was found, else 0."""
    if not forbids(fail_on, (one.severity for one in result.findings)):
        return 0
    print(f"limen: exit code {FAILED_BY_FINDINGS}, asked for by --fail-on {fail_on}", file=sys.stderr)
    return FAILED_BY_FINDINGS
