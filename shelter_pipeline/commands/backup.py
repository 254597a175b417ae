"""`shelter backup` and `shelter restore`: the databases as a folder, and back."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer

from shelter_pipeline.commands.printing import AsJson, bars, counted, print_result, say
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings

_FAILED = 1

Dagster = Annotated[
    bool,
    typer.Option("--dagster/--without-dagster", help="Dagster's database too: its runs and their events."),
]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Tables read or written at once.")]


def backup(
    to: Annotated[Path, typer.Option(help="The folder in which the backup's own folder is made.")],
    dagster: Dagster = True,
    jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """Write the catalog and Dagster's database to a folder, at any time, while everything goes on. Not the store."""
    from shelter_pipeline.embedded.database import open_database
    from shelter_pipeline.operations.back_up import back_up

    settings = load_settings()
    with open_database(settings) as urls:
        report = back_up(settings, urls, to.expanduser().absolute(), dagster=dagster, jobs=jobs)
    print_result(report, as_json)


def restore(
    source: Annotated[
        Path | None, typer.Option("--from", help="The folder of one backup: …/shelter-<time>.")
    ] = None,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place",
            help="The database is back already, from a snapshot or by its own recovery: make it fit to go on.",
        ),
    ] = False,
    dagster: Dagster = True,
    catch_up: Annotated[
        bool, typer.Option("--catch-up/--no-catch-up", help="Take in what the store holds beyond the backup.")
    ] = True,
    jobs: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="Tables written at once; with more than one, an error leaves a part."
        ),
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty database, then up to what the store holds. Nothing is overwritten."""
    from shelter_pipeline.embedded.database import open_database
    from shelter_pipeline.operations.restore_backup import begin_anew, plan_restore, restore_backup

    if (source is None) != in_place:
        raise SetupError("name the backup with --from, or say --in-place if the database is back already")
    settings = load_settings()
    plan = plan_restore(source.expanduser().absolute()) if source else None
    with open_database(settings) as urls, bars() as shown:
        shown_for = cache(partial(counted, shown))

        def progress(name: str, done: int) -> None:
            shown_for(f"catching up: {name}")(done, None)

        if plan is None:
            report = begin_anew(settings, catch_up=catch_up, progress=progress)
        else:
            report = restore_backup(
                settings, urls, plan, dagster=dagster, catch_up=catch_up, jobs=jobs, progress=progress
            )
    caught_up = report["store"] or {}
    if as_json:
        print_result(report, as_json)
    else:
        print_result({name: value for name, value in report.items() if name != "store"}, as_json)
        if caught_up:
            say(
                f"from the store since: {caught_up['captures']} captures, {caught_up['blobs']} blobs,"
                f" {caught_up['datasets']} datasets"
            )
        for sha256 in caught_up.get("missing", ()):
            say(f"missing: {sha256}")
        for name in caught_up.get("damaged", ()):
            say(f"damaged: {name}")
    if any(caught_up.get(name) for name in ("missing", "damaged", "problems")):
        raise typer.Exit(_FAILED)
