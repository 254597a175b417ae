"""How much was captured hour by hour: counted once, in the background, and read at the same cost at any size.

Captures are only ever added, each with a greater id than those before it, so they are
counted by following their ids: those that no transaction can still add to are counted for
good, portion by portion, and the few after them anew each time. A catalog that was rebuilt
gets its whole past that way too, and no index of a table of twenty million rows is needed.
"""

from __future__ import annotations

import time
from datetime import datetime
from itertools import count
from typing import Any, Literal

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.reading import Rows, read_rows

_PORTION = 200_000  # captures: some seconds where their heads have to be read from disk
_MOST_UNSETTLED = 1_000_000  # more than that are not counted twice; they wait until they are settled


def refresh_throughput(
    catalog: Catalog, *, older_than_seconds: float = 0, most_portions: int | None = None
) -> bool:
    """Count what was captured since the last time, if that is due and nobody else does; returns whether any was.

    Each portion is a transaction, and what is counted stays counted. After `most_portions` it ends, and is due again
    at once if there is more: the next call goes on from there.
    """
    begun, done = time.monotonic(), False
    for _ in count() if most_portions is None else range(most_portions):
        with catalog.begin() as connection:
            more = _count_portion(connection, older_than_seconds, begun)
        if more is None:
            return done
        done = True
        if not more:
            return True
    return done


def _count_portion(connection: Connection, older_than_seconds: float, begun: float) -> bool | None:
    """Whether there is more to count for good; None if it is not this one's turn."""
    if not connection.scalar(statement("lock_throughput")):
        return None
    mark = connection.execute(statement("due_throughput"), {"seconds": older_than_seconds}).one_or_none()
    if mark is None:
        return None
    until = max(min(mark.goal, mark.counted_id + _PORTION), mark.counted_id)
    is_done = until >= mark.goal
    connection.execute(statement("drop_unsettled_throughput"))
    connection.execute(statement("settle_throughput"), {"after": mark.counted_id, "until": until})
    if mark.newest - until <= _MOST_UNSETTLED:
        connection.execute(statement("count_throughput"), {"after": until})
    told = {"counted_id": until, "newest": mark.newest, "newest_before": mark.newest_before}
    told |= {"seconds": time.monotonic() - begun, "is_done": is_done}
    connection.execute(statement("mark_throughput"), told)
    return not is_done


def throughput_by(connection: Connection, unit: Literal["hour", "day"], since: datetime) -> Rows:
    """Captures of the time since, by hour or day (UTC) and verdict.

    `{begins, verdict, captures, files, bytes, wire_bytes, first_at}`; files and bytes are those that were stored.
    """
    return read_rows(connection, "throughput_by", unit=unit, since=since)


def throughput_totals(connection: Connection) -> Rows:
    """All captures that were ever made by verdict, in the same columns. Reads every hour: for the background."""
    return read_rows(connection, "throughput_totals")


def throughput_now(connection: Connection) -> dict[str, Any]:
    """`{now, first_at, counted_at}`: the database's clock, since when there are captures, when they were counted."""
    return read_rows(connection, "throughput_now")[0]
