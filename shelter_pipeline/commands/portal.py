"""`shelter portal`: which portals are harvested, and how each is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.printing import AsJson, err, print_result, print_rows
from shelter_pipeline.domain.records import slugify
from shelter_pipeline.settings import load_settings

portal_app = typer.Typer(name="portal", no_args_is_help=True, help="Say which portals are harvested.")


@portal_app.command("add")
def add(
    portal: Annotated[
        str, typer.Argument(metavar="KIND:URL", help="KIND is datagov, ckan or dcat_us.", show_default=False)
    ],
    name: Annotated[
        str | None, typer.Option(help="Its short name: its partition in Dagster. Default: from the URL.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            help="Sent with every request, e.g. 'Authorization: ${SHELTER_SECRET_MYPORTAL}'; may be repeated."
        ),
    ] = None,
    delay: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds between requests, instead of what its robots.txt asks for."),
    ] = None,
    nightly: Annotated[
        bool | None, typer.Option("--nightly/--no-nightly", help="Harvest it every night.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a portal, or change how a known one is opened. Nothing is asked of it yet."""
    from shelter_pipeline.operations.ledger import add_portal, portal_table
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.portals.registry import parse_portal

    parse_portal(portal)  # refuse a typing error before anything is started
    with open_workplace(load_settings()) as workplace:
        row = add_portal(workplace, portal, slug=name, headers=header, delay_seconds=delay, nightly=nightly)
        shown = next(item for item in portal_table(workplace) if item["portal"] == row.slug)
    print_result(shown, as_json)
    if name is not None and slugify(name) != row.slug:
        err.print(f"shelter: the portal's name is {row.slug}, and stays", highlight=False, soft_wrap=True)


@portal_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every portal, how it is opened, and how its last harvest ended."""
    from shelter_pipeline.operations.ledger import portal_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = portal_table(workplace)
    print_rows("portals", rows if as_json else [_line(row) for row in rows], as_json)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "portal": row["portal"],
        "datasets": row["datasets"],
        "nightly": "yes" if row["nightly"] else "no",
        "last harvest": f"{row['mode']}, {row['verdict']}" if row["verdict"] else "none yet",
        "at": row["harvested_at"],
        "opened as": f"{row['kind']}:{row['url']}",
    }
