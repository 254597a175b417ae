"""`shelter rebuild`: the catalog again from a store alone."""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated

import typer

from shelter_pipeline.commands.printing import AsJson, bars, counted, print_result, say
from shelter_pipeline.settings import load_settings

_FAILED = 1
_LISTS = ("damaged", "missing", "problems")


def rebuild(
    store: Annotated[
        str | None, typer.Option(help="Folder of the blob store, or s3://…. Default: the settings' store.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every blob again first, as `shelter scrub` does.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the catalog back from a store: datasets, files, captures, blobs, copies. What is known later stays."""
    from shelter_pipeline.operations.open_store import find_store
    from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
    from shelter_pipeline.operations.workplace import open_workplace

    settings = load_settings()
    opened, threads = find_store(store, settings)  # before anything is started
    with open_workplace(settings) as workplace, bars() as shown:
        shown_for = cache(partial(counted, shown))
        report = rebuild_catalog(
            workplace,
            opened,
            verify=verify,
            threads=threads,
            progress=lambda name, done: shown_for(f"restoring {name}")(done, None),
        )
    print_result(report if as_json else {**report, **dict.fromkeys(_LISTS)}, as_json)
    if not as_json:
        for name in report["damaged"]:
            say(f"damaged: {name}")
        for sha256 in report["missing"]:
            say(f"missing: {sha256}")
        for problem in report["problems"]:
            say(f"{problem['where']}: {problem['problem']}")
    if any(report[name] for name in _LISTS):
        raise typer.Exit(_FAILED)
