"""`shelter rankings`: what people use, as an analytics export says it."""

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

rankings_app = typer.Typer(
    name="rankings", no_args_is_help=True, help="Import how often files were used, and see what is used most."
)

Named = Annotated[str, typer.Argument(metavar="NAME", help="The name the ranking was imported under.")]


@rankings_app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV with the columns linkUrl and eventCount, and pageLocation if it has it."),
    ],
    name: Annotated[str, typer.Option(help="What to call the ranking; one of that name is replaced.")],
    as_json: AsJson = False,
) -> None:
    """Match an export of download and link counts to datasets, and keep it as a ranking."""
    from shelter_pipeline.operations.import_ranking import import_ranking, ranking_name
    from shelter_pipeline.operations.workplace import open_workplace

    ranking_name(name)  # refuse a typing error before anything is started
    with open_workplace(load_settings()) as workplace:
        if as_json:
            report = import_ranking(workplace, file, name)
        else:
            with bars() as shown:
                report = import_ranking(workplace, file, name, progress=counted(shown, "reading rows"))
    print_result(report if as_json else {**report, "refusals": [], "top": []}, as_json)
    if not as_json:
        for refusal in report["refusals"]:
            say(f"line {refusal['line']}: {refusal['problem']}")
        if report["top"]:
            out.print(rows_table(report["top"], "rank", "events", "dataset", "title"))


@rankings_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the rankings with what was read, what was matched, and how many datasets each ranks."""
    from shelter_pipeline.catalog.rankings import list_rankings
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        found = list_rankings(workplace.catalog)
    if as_json or not found:
        print_rows("rankings", found, as_json)
        return
    out.print(
        rows_table(
            found, "name", "datasets", "rows", "matched_rows", "events", "matched_events", "imported_at"
        )
    )


@rankings_app.command()
def show(
    name: Named,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many datasets to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the most used datasets of a ranking."""
    from shelter_pipeline.catalog.rankings import find_ranking, ranking_top
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        report = find_ranking(workplace.catalog, name)
        top = ranking_top(workplace.catalog, name, limit)
    print_result({**report, "top": top} if as_json else report, as_json)
    if top and not as_json:
        out.print(rows_table(top, "rank", "events", "organization", "dataset", "title"))


@rankings_app.command()
def remove(name: Named, as_json: AsJson = False) -> None:
    """Forget a ranking, and score without it."""
    from shelter_pipeline.catalog.rankings import remove_ranking
    from shelter_pipeline.operations.score_assets import rescore_after
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        ranked = remove_ranking(workplace.catalog, name)
        rescore_after(workplace, "the removal")
    print_result({"removed": name, "datasets": ranked}, as_json)
