"""`shelter holdings`: what other archives say they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelter_pipeline.commands.printing import (
    AsJson,
    bars,
    counted,
    out,
    print_result,
    print_rows,
    rows_table,
    say,
)
from shelter_pipeline.settings import load_settings

holdings_app = typer.Typer(
    name="holdings", no_args_is_help=True, help="Import what other archives hold, and see who holds what."
)


@holdings_app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or JSON lines, plain or gzip: url, holder, date, and a SHA-256 as hash."),
    ],
    holder: Annotated[
        str | None, typer.Option(help="Who holds what the lines name, where they do not say it themselves.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep what an inventory of another archive says; it lowers scarcity, and is never a copy of ours."""
    from shelter_pipeline.operations.import_holdings import import_holdings
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        if as_json:
            report = import_holdings(workplace, file, holder=holder)
        else:
            with bars() as shown:
                report = import_holdings(
                    workplace, file, holder=holder, progress=counted(shown, "reading lines")
                )
    print_result(report if as_json else {**report, "refusals": []}, as_json)
    if not as_json:
        for refusal in report["refusals"]:
            say(f"line {refusal['line']}: {refusal['problem']}")


@holdings_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the holders with their URLs, and the files and bytes of ours that are among them."""
    from shelter_pipeline.catalog.holdings import list_holders
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        found = list_holders(workplace.catalog)
    if as_json or not found:
        print_rows("holders", found, as_json)
        return
    out.print(rows_table(found, "holder", "urls", "matched_files", "matched_bytes", "oldest", "newest"))


@holdings_app.command()
def of(
    url: Annotated[str, typer.Argument(help="The URL as a catalogue writes it.")], as_json: AsJson = False
) -> None:
    """Say who holds a URL."""
    from shelter_pipeline.operations.import_holdings import look_up_holdings
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        report = look_up_holdings(workplace, url)
    if as_json:
        print_result(report, as_json)
        return
    if not report["holders"]:
        say(f"nobody is known to hold {report['url']}")
        return
    out.print(rows_table(report["holders"], "holder", "held_at", "sha256", "source"))


@holdings_app.command()
def remove(
    holder: Annotated[str, typer.Argument(help="The holder as the list names it.")], as_json: AsJson = False
) -> None:
    """Forget all that a holder said: a wrong import, or an archive that is gone."""
    from shelter_pipeline.catalog.holdings import remove_holder
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        removed = remove_holder(workplace.catalog, holder)
    print_result({"removed": holder, "urls": removed}, as_json)
