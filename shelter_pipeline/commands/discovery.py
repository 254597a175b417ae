"""`shelter discover`, `shelter explore` and `shelter trail`: from links to files, and how a file was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.printing import AsJson, bars, counted, print_result, print_rows, say
from shelter_pipeline.presentation.words import size
from shelter_pipeline.settings import load_settings

_MOST_ROWS = 50


def discover(
    portal: Annotated[
        str | None, typer.Option(help="The portal's slug; `shelter portal list` shows them.")
    ] = None,
    organization: Annotated[str | None, typer.Option(help="Only this organization, by its slug.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every link that is new or due: what it is, and the files that directories and pages lead to."""
    from shelter_pipeline.operations.discover_resources import discover_organization, discover_resources
    from shelter_pipeline.operations.workplace import open_workplace

    if portal is None and organization is None:
        raise typer.BadParameter("name a portal (--portal) or an organization (--organization)")
    with open_workplace(load_settings()) as workplace, bars() as shown:
        show = counted(shown, f"looking at links of {organization or portal}")
        progress = None if as_json else lambda done: show(done, None)
        if organization is not None:
            result = discover_organization(workplace, organization, portal=portal, progress=progress)
        else:
            result = discover_resources(workplace, portal or "", progress=progress)
    if as_json:
        print_result(result, as_json)
        return
    print_result({name: value for name, value in result.items() if name not in ("by_kind", "files")}, as_json)
    say("\nlinks")
    print_rows("links", result["by_kind"], as_json)
    say("\nfiles")
    files = [{**row, "bytes": size(row["bytes"])} for row in result["files"]]
    print_rows("files", files, as_json)


def explore(
    url: Annotated[str, typer.Argument(help="The URL of a directory, a page, a repository or a service.")],
    format: Annotated[str | None, typer.Option(help="The format that the catalogue declares.")] = None,
    media_type: Annotated[
        str | None, typer.Option(help="The media type that the catalogue declares.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow a URL to the files it leads to, now and without a catalog. Only pages are read; nothing is kept."""
    from shelter_pipeline.operations.explore_url import explore_url

    settings = load_settings()
    if as_json:
        print_result(explore_url(url, settings=settings, format=format, media_type=media_type), as_json)
        return
    with bars() as shown:
        show = counted(shown, "pages")
        result = explore_url(
            url,
            settings=settings,
            format=format,
            media_type=media_type,
            progress=lambda read: show(read.pages, None),
        )
    print_result({name: value for name, value in result.items() if name not in ("files", "pages")}, as_json)
    _print_some("pages", result["pages"], ("url", "why", "what", "reason", "files"))
    _print_some("files", result["files"], ("url", "kind", "via", "why", "size"))


def trail(
    what: Annotated[str, typer.Argument(help="The URL of a file, or the slug of a dataset.")],
    as_json: AsJson = False,
) -> None:
    """Say how a file was found: from which resource, over which pages, and why; or what a dataset's links led to."""
    from shelter_pipeline.operations.trail import trail_of
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = trail_of(workplace, what)
    if as_json:
        print_result(result, as_json)
        return
    for way in result.get("ways", ()):
        _print_way(result["url"], way)
    for link in result.get("links", ()):
        print_result(link, as_json)
        say("")


def _print_way(url: str, way: Mapping[str, Any]) -> None:
    say(f"{way['title']} ({way['organization']}/{way['dataset']})")
    say(f"  lists {way['resource']}, a {way['kind']} by the rule {way['rule']}")
    for page in way["pages"]:
        label = f" “{page['label']}”" if page.get("label") else ""
        say(f"  → {page['url']}  ({page.get('what') or 'page'}, by {page.get('why', 'a link')}{label})")
    say(f"  → {url}  ({way['via']}, by {way['why']})")


def _print_some(name: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if rows:
        say(f"\n{name}")
        print_rows(
            name, [{column: row.get(column) for column in columns} for row in rows[:_MOST_ROWS]], False
        )
    if len(rows) > _MOST_ROWS:
        say(f"… and {len(rows) - _MOST_ROWS} more; --json shows all")
