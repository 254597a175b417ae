"""What the robots.txt of each origin said, for all processes, so that each is asked for once a day.

The right to ask is a lease of a few minutes: one process has it, and a process that dies
with it holds nobody up for longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.domain.robots import RobotsAnswer, RobotsQuestion, RobotsRecord

CLAIM_SECONDS = 90.0


class HostRobots:
    """Keeps the records of a `RobotsBook` in the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def exchange(
        self, learned: Mapping[tuple[str, str], RobotsRecord], questions: Sequence[RobotsQuestion]
    ) -> dict[str, RobotsAnswer]:
        """Keep what was learned, by origin and host, then answer; times are seconds from now. CatalogAwayError."""
        claims = [question for question in questions if question.claim]
        hosts = sorted({host for _, host in learned} | {question.host for question in claims})
        with self._catalog.begin() as connection:
            connection.execute(statement("know_hosts"), {"names": hosts})
            if learned:
                connection.execute(statement("keep_robots"), _columns(learned))
            claimed = set(connection.scalars(statement("claim_robots"), _claim_columns(claims)))
        rows = self._catalog.rows(
            "read_robots",
            origins=[question.origin for question in questions],
            hosts=[question.host for question in questions],
        )
        return {row["origin"]: _answer(row, may_ask=row["origin"] in claimed) for row in rows}


def _claim_columns(claims: Sequence[RobotsQuestion]) -> dict[str, Any]:
    return {
        "origins": [claim.origin for claim in claims],
        "hosts": [claim.host for claim in claims],
        "claim_seconds": CLAIM_SECONDS,
    }


def _answer(row: Mapping[str, Any], *, may_ask: bool) -> RobotsAnswer:
    record = RobotsRecord(
        state=row["state"] or "unknown",
        body=row["body"],
        reason=row["reason"],
        detail=row["detail"],
        failures=row["failures"] or 0,
        failing_since=row["failing_seconds"],
        fresh_until=row["fresh_seconds"],
    )
    return RobotsAnswer(record, row["policy"], may_ask)


def _columns(learned: Mapping[tuple[str, str], RobotsRecord]) -> dict[str, list[Any]]:
    records = list(learned.values())
    return {
        "origins": [origin for origin, _ in learned],
        "hosts": [host for _, host in learned],
        "states": [record.state for record in records],
        "bodies": [None if record.body is None else storable(record.body) for record in records],
        "reasons": [record.reason for record in records],
        "details": [None if record.detail is None else storable(record.detail) for record in records],
        "failures": [record.failures for record in records],
        "failing": [record.failing_since for record in records],
        "fresh": [record.fresh_until for record in records],
    }
