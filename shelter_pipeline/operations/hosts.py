"""What an operator sees of hosts and says of them. What is said holds for every process within seconds.

For robots.txt it is a minute: decisions about it are kept in memory for so long.
"""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import hosts as books
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.robots import RobotsPolicy
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.workplace import Workplace


def hosts_table(workplace: Workplace, *, limit: int) -> list[dict[str, Any]]:
    """Hosts, those first that rest, then those with something to tell."""
    return books.list_hosts(workplace.catalog, limit=limit)


def show_host(workplace: Workplace, host: str) -> dict[str, Any]:
    """All that is known of a host. SetupError if it is not known, or is no host."""
    return books.find_host(workplace.catalog, host_name(host))


def set_host(
    workplace: Workplace,
    host: str,
    *,
    delay_seconds: float | None,
    connections: int | None,
    robots: RobotsPolicy | None,
    why: str | None,
    who: str | None,
) -> dict[str, Any]:
    """Say how a host is asked; what is None stays. Returns the host. SetupError if that needs a reason and has none."""
    if delay_seconds is None and connections is None and robots is None:
        raise SetupError("nothing was said: give --delay, --connections or --robots")
    name = host_name(host)
    books.set_host(
        workplace.catalog,
        name,
        delay_seconds=delay_seconds,
        connections=connections,
        robots=robots,
        why=why,
        who=who,
    )
    return books.find_host(workplace.catalog, name)


def rest_host(workplace: Workplace, host: str, *, hours: float) -> dict[str, Any]:
    """Leave a host alone for so many hours, 0 to end a rest. Returns the host."""
    name = host_name(host)
    books.rest_host(workplace.catalog, name, hours=hours)
    return books.find_host(workplace.catalog, name)


def reset_host(workplace: Workplace, host: str, *, settings: bool) -> dict[str, Any]:
    """Forget what a host taught, with `settings` also what was said of it. Returns the host."""
    name = host_name(host)
    books.reset_host(workplace.catalog, name, settings=settings)
    return books.find_host(workplace.catalog, name)


def host_name(text: str) -> str:
    """`name:port` of a host as a person writes it: alone (then it is asked by https), with a port, or as a URL.

    SetupError if it is none.
    """
    try:
        return parse_url(text if "://" in text else f"https://{text}").host
    except RefusedError as error:
        raise SetupError(f"{text!r} is no host: {error}") from error
