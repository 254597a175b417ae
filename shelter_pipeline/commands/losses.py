"""`shelter losses`: what is gone, how sure we are of it, and a person's word on it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, out, print_result, rows_table, say
from shelter_pipeline.settings import load_settings

_MOST = 1_000_000  # losses at once; more are read page by page
_LAST_ID = 2**63 - 1

losses_app = typer.Typer(name="losses", no_args_is_help=True, help="Say what is gone, and how sure that is.")


class FeedFormat(StrEnum):
    """How the feed is written."""

    RSS = "rss"
    JSON = "json"


OfOrganization = Annotated[str | None, typer.Option(help="Only this organization's, by its key.")]
OfPortal = Annotated[str | None, typer.Option(help="Only this portal's, by its slug.")]
Ids = Annotated[list[int], typer.Argument(help="Ids of losses, as `shelter losses list` shows them.")]
Why = Annotated[str, typer.Option(help="The reason; it is kept as evidence with your user name.")]


@losses_app.command("list")
def list_command(
    state: Annotated[
        list[str] | None,
        typer.Option(help="withheld, suspected, confirmed, recovered or dismissed; may be repeated."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="delisted, moved, link-dead, replaced or harvest-fault; may be repeated."),
    ] = None,
    organization: OfOrganization = None,
    portal: OfPortal = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many.")] = 100,
    after: Annotated[
        int | None, typer.Option(min=0, max=_LAST_ID, help="Only losses older than this id: the next page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show losses, newest first: what, since when, how often missed, and what of it is held here."""
    from shelter_pipeline.operations.losses import losses_report
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        report = losses_report(
            workplace,
            states=state,
            kinds=kind,
            organization=organization,
            portal=portal,
            limit=limit,
            after=after,
        )
    if as_json:
        print_result(report, as_json)
        return
    if report["losses"]:
        out.print(losses_table(report["losses"]))
    say(_sentence(report))


@losses_app.command("feed")
def feed(
    format: Annotated[FeedFormat, typer.Option(help="How it is written.")] = FeedFormat.RSS,
    output: Annotated[Path | None, typer.Option(help="Write it there instead of printing it.")] = None,
    organization: OfOrganization = None,
    portal: OfPortal = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many losses.")] = 1000,
) -> None:
    """Print the feed of announced losses, as RSS 2.0 or as JSON."""
    from shelter_pipeline.operations.losses import losses_report, losses_rss
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        if format is FeedFormat.RSS:
            text = losses_rss(workplace, organization=organization, portal=portal, limit=limit)
        else:
            report = losses_report(workplace, organization=organization, portal=portal, limit=limit)
            text = json.dumps(report)
    if output is None:
        sys.stdout.write(text + "\n")
    else:
        _write(output, text + "\n")


@losses_app.command("confirm")
def confirm(ids: Ids, why: Why, as_json: AsJson = False) -> None:
    """Say that these losses are real, without waiting for more harvests."""
    _decide(ids, "confirmed", why, as_json)


@losses_app.command("dismiss")
def dismiss(ids: Ids, why: Why, as_json: AsJson = False) -> None:
    """Say that nothing was lost there; a dataset is listed again, until a harvest misses it anew."""
    _decide(ids, "dismissed", why, as_json)


@losses_app.command("release")
def release(
    why: Why, organization: OfOrganization = None, portal: OfPortal = None, as_json: AsJson = False
) -> None:
    """Say that a mass drop is real: what a breaker withheld is suspected, and announced."""
    from shelter_pipeline.operations.losses import release_losses
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        count = release_losses(workplace, organization=organization, portal=portal, who=account(), why=why)
    print_result({"released": count}, as_json)


def losses_table(losses: list[dict[str, Any]]) -> Table:
    """Losses for a terminal, a row each."""
    return rows_table(
        [
            {
                **{name: row[name] for name in ("id", "state", "kind", "organization")},
                "what": row["url"] or row["title"] or row["dataset"],
                "since": row["suspected_at"][:10],
                "misses": row["misses"],
                "held": f"{row['held_files']} of {row['files']}",
            }
            for row in losses
        ],
        *("id", "state", "kind", "organization", "what", "since", "misses", "held"),
    )


def _sentence(report: dict[str, Any]) -> str:
    counts = {state: sum(kinds.values()) for state, kinds in report["counts"].items()}
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"
    held_back = ", ".join(
        f"{row['organization']} ({row['datasets'] + row['links']})" for row in report["withheld"]
    )
    return f"losses: {told}" + (f"; withheld: {held_back}" if held_back else "")


def _decide(ids: list[int], state: Any, why: str, as_json: bool) -> None:
    from shelter_pipeline.operations.losses import decide_losses
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        count = decide_losses(workplace, ids, state=state, who=account(), why=why)
    print_result({state: count}, as_json)


def _write(path: Path, text: str) -> None:
    from shelter_pipeline.domain.errors import SetupError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"the feed cannot be written to {path}: {error.strerror}") from error
