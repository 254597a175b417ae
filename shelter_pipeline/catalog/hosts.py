"""Hosts as an operator sees and sets them. What a host taught and what a person said of it are kept apart."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.robots import RobotsPolicy


def list_hosts(catalog: Catalog, *, limit: int = 1000) -> list[dict[str, Any]]:
    """Hosts, those first that rest, then those that an operator has set or that were asked too much, then by name."""
    return [dict(row) for row in catalog.rows("list_hosts", host=None, limit=limit)]


def find_host(catalog: Catalog, name: str) -> dict[str, Any]:
    """All that is known of one host (`name:port`), its robots.txt by origin included. SetupError if nothing is."""
    rows = catalog.rows("list_hosts", host=name, limit=1)
    if not rows:
        raise SetupError(f"the host {name} is not known; `shelter host list` shows those that are")
    return {**rows[0], "robots_txt": [dict(row) for row in catalog.rows("list_robots", host=name)]}


def set_host(
    catalog: Catalog,
    name: str,
    *,
    delay_seconds: float | None = None,
    connections: int | None = None,
    robots: RobotsPolicy | None = None,
    why: str | None = None,
    who: str | None = None,
) -> None:
    """An operator's word on a host, known or not; what is None stays as it is.

    SetupError if robots.txt is overruled without a reason and a name.
    """
    if robots is not None and not (why and why.strip() and who and who.strip()):
        raise SetupError("say why, and who says so: what is decided about robots.txt is kept with its reason")
    values = {
        "name": name,
        "delay_seconds": delay_seconds,
        "connections": connections,
        "robots": robots,
        "why": storable(why.strip()) if why and robots else None,
        "who": storable(who.strip()) if who and robots else None,
    }
    with catalog.begin() as connection:
        connection.execute(statement("know_hosts"), {"names": [name]})
        connection.execute(statement("set_host"), values)


def rest_host(catalog: Catalog, name: str, *, hours: float) -> None:
    """Nobody asks the host for so many hours from now on; 0 ends a rest."""
    with catalog.begin() as connection:
        connection.execute(statement("know_hosts"), {"names": [name]})
        connection.execute(statement("rest_host"), {"name": name, "seconds": hours * 3600})


def reset_host(catalog: Catalog, name: str, *, settings: bool = False) -> None:
    """Forget what the host taught and what its robots.txt said; with `settings` an operator's words as well.

    SetupError if the host is not known.
    """
    with catalog.begin() as connection:
        if not connection.execute(statement("forget_taught"), {"name": name}).rowcount:
            raise SetupError(f"the host {name} is not known, so there is nothing to forget")
        connection.execute(statement("forget_robots"), {"name": name})
        if settings:
            connection.execute(statement("forget_host_settings"), {"name": name})
