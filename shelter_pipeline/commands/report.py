"""`shelter report`: the state of a rescue as a folder that a person wants to look at, and a program can read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shelter_pipeline.commands.printing import AsJson, bars, named, print_result, say
from shelter_pipeline.settings import load_settings

DEFAULT_FORMATS = "html,json"


def report(
    organization: Annotated[
        list[str] | None, typer.Option(help="An organization's slug; again for more. Default: everything.")
    ] = None,
    portal: Annotated[str | None, typer.Option(help="A portal's slug: what it lists alone.")] = None,
    to: Annotated[Path, typer.Option(help="The folder in which the report's own folder is made.")] = Path(),
    formats: Annotated[
        str, typer.Option("--format", help="Among html, pdf, json, csv, parquet; by commas.")
    ] = DEFAULT_FORMATS,
    as_json: AsJson = False,
) -> None:
    """Write the state of the rescue, whole or of some organizations: for people, and as data.

    All files tell of one moment. A report that is there already is never overwritten.
    """
    from shelter_pipeline.operations.report_figures import scope_of
    from shelter_pipeline.operations.rescue_report import formats_of, write_report
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.presentation.words import size

    chosen = formats_of(formats)
    with open_workplace(load_settings()) as workplace:
        scope = scope_of(workplace.catalog, organization or [], portal)
        if as_json:
            written = write_report(workplace, scope, parent=to, formats=chosen)
        else:
            with bars() as shown:
                written = write_report(workplace, scope, parent=to, formats=chosen, progress=named(shown))
    folder = written.folder.absolute()
    if as_json:
        files = msgspec.to_builtins(written.files)
        print_result({"folder": str(folder), "files": files, "counted_at": written.counted_at}, as_json)
        return
    say(written.summary)
    for file in written.files:
        say(f"  {folder / file.name}  {size(file.bytes)}")
