"""The queue that nodes are given work from: kept near to what is true, and rebuilt when it may have strayed.

Each step is a transaction of its own and may be lost or done twice: the queue is a hint, and
what it says of a file is looked at again when the file is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.allotment import UNKNOWN_BYTES

REBUILD_SECONDS = 600.0
_MOST_AT_ONCE = 20_000  # more are found faster by going through all
_Entry = tuple[int, int]  # a lane, and what the file weighs that was put into it


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How many copies of a file are wanted, and how many nodes may fetch it at once."""

    wanted_copies: int
    independent_fetches: int

    @property
    def parameters(self) -> dict[str, int]:
        """As the statements name them."""
        return {"wanted": self.wanted_copies, "fetches": self.independent_fetches}


def queue_assets(catalog: Catalog, asset_ids: Sequence[int], rules: QueueRules) -> int:
    """Put these files into the queue if nodes may help with them now; returns how many entries changed."""
    if not asset_ids:
        return 0
    with catalog.begin() as connection:
        entries = _put(connection, asset_ids, rules)
    _refresh(catalog, entries)
    return len(entries)


def unqueue_assets(catalog: Catalog, asset_ids: Sequence[int]) -> int:
    """Take these files out of the queue, but those that somebody is just looking at; returns how many."""
    return catalog.count("unqueue", asset_ids=list(asset_ids)) if asset_ids else 0


def close_lanes(catalog: Catalog, host_connections: int) -> int:
    """Let nobody look at hosts without room for some seconds; returns how many lanes were closed."""
    return catalog.count("close_lanes", connections=host_connections)


def rebuild_queue(catalog: Catalog, rules: QueueRules) -> int:
    """Make the queue say what is true of every file now, as after scoring; returns how many entries were written."""
    with catalog.begin() as connection:
        state = connection.execute(statement("wait_for_queue")).one()
        written = _rebuild(connection, rules, due_until=state.at)
    _refresh_all(catalog)
    return written


def look_after_queue(catalog: Catalog, rules: QueueRules) -> int:
    """Put in what has become due or was stored since the last time, or all if that is long ago.

    Returns how many entries were written; 0 at once if another process is at it.
    """
    with catalog.begin() as connection:
        state = connection.execute(
            statement("lock_queue"), {"rebuild_seconds": REBUILD_SECONDS}
        ).one_or_none()
        if state is None:
            return 0
        entries: list[_Entry] | None = None
        if state.fresh:
            entries = _put_due(connection, rules, state.due_until, state.capture_id)
        if entries is None:
            written = _rebuild(connection, rules, due_until=state.at)
        else:
            written = len(entries)
            connection.execute(statement("note_queue"), {"due_until": state.at, "rebuilt": False})
    if entries is None:
        _refresh_all(catalog)
    else:
        _refresh(catalog, entries)
    return written


def _put_due(
    connection: Connection, rules: QueueRules, due_until: object, capture_id: int
) -> list[_Entry] | None:
    """The entries written; None if there was too much to go through one by one."""
    since = {"due_until": due_until, "capture_id": capture_id, "most": _MOST_AT_ONCE}
    due = list(connection.execute(statement("newly_due"), since).scalars())
    return _put(connection, due, rules) if len(due) < _MOST_AT_ONCE else None


def _put(connection: Connection, asset_ids: Sequence[int], rules: QueueRules) -> list[_Entry]:
    given = {"asset_ids": sorted(set(asset_ids)), "unknown_bytes": UNKNOWN_BYTES, **rules.parameters}
    return [(row.lane_id, row.bytes) for row in connection.execute(statement("queue_assets"), given)]


def _rebuild(connection: Connection, rules: QueueRules, *, due_until: object) -> int:
    given = {"unknown_bytes": UNKNOWN_BYTES, **rules.parameters}
    connection.execute(statement("plan_for_rebuild"))
    written = connection.execute(statement("rebuild_queue"), given).rowcount
    connection.execute(statement("note_queue"), {"due_until": due_until, "rebuilt": True})
    return written


def _refresh_all(catalog: Catalog) -> None:
    """Lanes are few and wanted by every allocation: they are written apart from the queue, and briefly."""
    catalog.count("refresh_all_lanes")
    catalog.count("count_siblings")


def _refresh(catalog: Catalog, entries: Sequence[_Entry]) -> None:
    if entries:
        catalog.count(
            "refresh_lanes",
            lane_ids=[lane_id for lane_id, _ in entries],
            bytes=[size for _, size in entries],
        )
        catalog.count("count_siblings")
