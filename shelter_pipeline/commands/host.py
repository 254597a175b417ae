"""`shelter host`: how each host is asked, what it has taught, and a person's word on it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, print_result, print_rows
from shelter_pipeline.settings import load_settings

_MOST = 1_000_000
_MOST_HOURS = 24 * 366

host_app = typer.Typer(name="host", no_args_is_help=True, help="Say how each host is asked.")


class Robots(StrEnum):
    """What is done about a host's robots.txt."""

    OBEY = "obey"
    IGNORE = "ignore"


Host = Annotated[
    str,
    typer.Argument(help="name:port, a URL, or a name alone, which means its port 443.", show_default=False),
]


@host_app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show hosts: first those that rest, then those that were set by a person or asked too much."""
    from shelter_pipeline.operations.hosts import hosts_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = hosts_table(workplace, limit=limit)
    print_rows("hosts", rows if as_json else [_line(row) for row in rows], as_json)


@host_app.command("show")
def show(host: Host, as_json: AsJson = False) -> None:
    """Show all that is known of one host, its robots.txt included."""
    from shelter_pipeline.operations.hosts import show_host
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        print_result(show_host(workplace, host), as_json)


@host_app.command("set")
def set_command(
    host: Host,
    delay: Annotated[
        float | None, typer.Option(min=0, help="Seconds between two starts, instead of all other delays.")
    ] = None,
    connections: Annotated[int | None, typer.Option(min=1, help="Requests at once.")] = None,
    robots: Annotated[Robots | None, typer.Option(help="Whether its robots.txt is obeyed.")] = None,
    why: Annotated[str | None, typer.Option(help="The reason; --robots needs one, and it is kept.")] = None,
    who: Annotated[str | None, typer.Option(help="Who decided. Default: your user name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set how one host is asked, by every process; what is not given stays as it is."""
    from shelter_pipeline.operations.hosts import set_host
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = set_host(
            workplace,
            host,
            delay_seconds=delay,
            connections=connections,
            robots=robots.value if robots else None,
            why=why,
            who=who or account(),
        )
    print_result(result, as_json)


@host_app.command("rest")
def rest(
    host: Host,
    hours: Annotated[float, typer.Option(min=0, max=_MOST_HOURS, help="How long; 0 ends a rest.")],
    as_json: AsJson = False,
) -> None:
    """Leave one host alone for a while: because it asked for that by letter, say."""
    from shelter_pipeline.operations.hosts import rest_host
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        print_result(rest_host(workplace, host, hours=hours), as_json)


@host_app.command("reset")
def reset(
    host: Host,
    settings: Annotated[
        bool, typer.Option("--settings", help="Forget what `shelter host set` said of it, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget what a host has taught: its rests, its slowness, its robots.txt. They are learned anew."""
    from shelter_pipeline.operations.hosts import reset_host
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        print_result(reset_host(workplace, host, settings=settings), as_json)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    said = {"connections": row["connections"], "delay": row["delay_seconds"], "robots": row["robots"]}
    return {
        "host": row["host"],
        "rests until": row["rests_until"],
        "strikes": row["strikes"],
        "slots in use": row["slots_in_use"],
        "set": ", ".join(f"{name} {value}" for name, value in said.items() if value is not None) or None,
        "why": row["robots_why"],
        "who": row["robots_who"],
    }
