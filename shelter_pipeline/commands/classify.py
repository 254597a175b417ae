"""`shelter classify`: what one URL is, or each line of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from shelter_pipeline.commands.printing import AsJson, print_result, printable
from shelter_pipeline.discovery.classification_table import classification_rules
from shelter_pipeline.discovery.classify import Classification
from shelter_pipeline.discovery.classify import classify as classify_url
from shelter_pipeline.discovery.repair import LONGEST_FIELD
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings

_STANDARD_INPUT = Path("-")


def classify(
    url: Annotated[str | None, typer.Argument(help="The URL as a catalogue writes it.")] = None,
    format: Annotated[str | None, typer.Option(help="The format that the catalogue declares.")] = None,
    media_type: Annotated[
        str | None, typer.Option(help="The media type that the catalogue declares.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Classify each line of this file instead; - is standard input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a URL is, by rule alone: no request is made."""
    if (url is None) is (file is None):
        raise typer.BadParameter("give either a URL or --file")
    rules = classification_rules(load_settings().classification_rules)
    if file is None:
        verdict = classify_url(url, format=format, media_type=media_type, rules=rules)
        shown = _shown(verdict)
        print_result(shown if as_json else {name: value for name, value in shown.items() if value}, as_json)
        return
    with _opened(file) as stream:
        for line in _lines(stream):
            verdict = classify_url(line, format=format, media_type=media_type, rules=rules)
            if as_json:
                print_result({"written": line, **_shown(verdict)}, as_json)
            else:
                sys.stdout.write(f"{verdict.kind.value:<10}  {verdict.rule:<20}  {printable(line)}\n")
            if stream is sys.stdin:  # whoever writes line by line may wait for each answer
                sys.stdout.flush()


def _shown(verdict: Classification) -> dict[str, Any]:
    return {
        "kind": verdict.kind.value,
        "asset_kind": verdict.asset_kind,
        "rule": verdict.rule,
        "url": verdict.url,
        "problem": verdict.problem,
        "repair": verdict.repair,
        "urls": list(verdict.urls),
    }


def _opened(file: Path) -> Any:
    if file == _STANDARD_INPUT:
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
        return nullcontext(sys.stdin)
    try:
        return file.expanduser().open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}") from error


def _lines(stream: TextIO) -> Iterator[str]:
    """Each line without its end. Of one that is too long for URLs no more is held than is enough to see that."""
    while line := stream.readline(LONGEST_FIELD + 2):
        rest = line
        while not rest.endswith("\n") and (rest := stream.readline(LONGEST_FIELD)):
            pass
        yield line.rstrip("\r\n")
