"""What people are told of, kept: which troubles last, who was told of which, how each channel does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.domain.troubles import Notice, Trouble

_LONGEST_PROBLEM = 500


def note_troubles(
    catalog: Catalog,
    seen: Iterable[Trouble],
    *,
    looked_for: Collection[str],
    rest_seconds: float,
    by_engine: bool,
) -> None:
    """Remember what a look has seen, and end what it has not.

    `looked_for` are the kinds of which this look has seen everything; those of others stay as they are. When the
    engine of our runs last looked is remembered as well.
    """
    rows = sorted({trouble.key: trouble for trouble in seen}.values(), key=lambda trouble: trouble.key)
    with catalog.begin() as connection:
        if rows:
            connection.execute(
                statement("note_alerts"),
                {
                    "kinds": [row.kind for row in rows],
                    "things": [storable(row.thing) for row in rows],
                    "details": [storable(row.detail) for row in rows],
                },
            )
        connection.execute(
            statement("clear_alerts"), {"looked_for": sorted(looked_for), "rest_seconds": rest_seconds}
        )
        connection.execute(statement("forget_alerts"))
        if by_engine:
            connection.execute(statement("note_look"))


def open_alerts(catalog: Catalog) -> list[dict[str, Any]]:
    """Troubles that last: `{id, kind, thing, detail, since, last_seen_at, told_by}`."""
    return [dict(row) for row in catalog.rows("open_alerts")]


def channel_states(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """By name, of each channel that was ever spoken to: `{told_at, failures, problem, tried_again_at}`."""
    return {row["name"]: dict(row) for row in catalog.rows("alert_channels")}


def last_look(catalog: Catalog) -> dict[str, Any] | None:
    """When the engine of our runs last looked for troubles: `{looked_at, seconds_ago}`; None if never."""
    return next((dict(row) for row in catalog.rows("last_look")), None)


def take_channel(catalog: Catalog, name: str, *, pause_seconds: float, speaking_seconds: float) -> bool:
    """Whether it is our turn to speak to a channel: nobody else does, it does not rest, its pause is over."""
    return bool(
        catalog.rows(
            "take_channel", name=name, pause_seconds=pause_seconds, speaking_seconds=speaking_seconds
        )
    )


def untold(catalog: Catalog, channel: str, *, remind_seconds: float) -> list[Notice]:
    """What a channel has to tell, the kinds in order and the oldest first."""
    return [
        Notice(**row) for row in catalog.rows("untold_alerts", channel=channel, remind_seconds=remind_seconds)
    ]


def note_told(catalog: Catalog, channel: str, notices: Sequence[Notice]) -> None:
    """A channel has taken these, or had none to take: it is free."""
    ended = [notice.id for notice in notices if notice.standing == "ended"]
    told = [notice.id for notice in notices if notice.standing != "ended"]
    with catalog.begin() as connection:
        if notices:
            connection.execute(
                statement("note_told_alerts"), {"channel": channel, "told": told, "ended": ended}
            )
        connection.execute(statement("free_channel"), {"name": channel, "told": bool(notices)})


def revive_channel(catalog: Catalog, name: str) -> None:
    """A channel that failed works again: it is told what it missed at the next look."""
    catalog.count("revive_channel", name=name)


def note_failure(catalog: Catalog, channel: str, problem: str) -> None:
    """A channel did not take a message: it rests for a while, longer each time."""
    catalog.count("fail_channel", name=channel, problem=storable(problem[:_LONGEST_PROBLEM]))
