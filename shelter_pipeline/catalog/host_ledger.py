"""The limits of hosts, kept for all processes that share a catalog.

A host never has more live slots than its limit, and no two spans of it overlap: both are
single statements on locked rows, by the database's clock. What hosts teach is
applied to their row under its lock, so that no process undoes what another has learned.
"""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.host_sharing import (
    Grants,
    Slot,
    SlotWish,
    Span,
    SpanWish,
    Standing,
    Taught,
    Wishes,
)
from shelter_pipeline.domain.politeness import HostManners, after_lessons

# A process that dies frees its slots after so long; one that lives renews them three times meanwhile.
LEASE_SECONDS = 30.0


class HostLedger:
    """The ledger for one holder, which is one process; safe to share between its threads."""

    def __init__(
        self, catalog: Catalog, *, holder: str | None = None, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self.lease_seconds = lease_seconds
        self.holder = holder or f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._catalog = catalog

    def settle(self, wishes: Wishes) -> Grants:
        """Do all that is wished for, in one transaction a kind. Raises CatalogAwayError.

        What is taught and given back comes first, so that what is granted rests on it.
        """
        self._give_back(wishes.give_back)
        renewed = self._renew(wishes.renew)
        self._teach(wishes.taught)
        standings = self._standings([*wishes.meet, *(taught.host for taught in wishes.taught)])
        return Grants(
            renewed=renewed,
            standings=standings,
            slots=self._take(wishes.slots),
            spans=self._reserve(wishes.spans),
        )

    def close(self) -> None:
        """Give all slots of this holder back."""
        self._catalog.count("give_all_slots_back", holder=self.holder)

    def _give_back(self, slots: Sequence[Slot]) -> None:
        if slots:
            self._catalog.count("give_slots_back", holder=self.holder, **_columns(slots))

    def _renew(self, slots: Sequence[Slot]) -> frozenset[Slot]:
        if not slots:
            return frozenset()
        rows = self._catalog.rows(
            "renew_slots", holder=self.holder, lease_seconds=self.lease_seconds, **_columns(slots)
        )
        return frozenset((row["host"], row["number"]) for row in rows)

    def _teach(self, taught: Sequence[Taught]) -> None:
        if not taught:
            return
        by_host = {one.host: one for one in taught}
        with self._catalog.begin() as connection:
            connection.execute(statement("know_hosts"), {"names": list(by_host)})
            rows = connection.execute(statement("lock_manners"), {"names": list(by_host)}).mappings()
            learned = {row["name"]: _after(_manners(dict(row)), by_host[row["name"]]) for row in rows}
            connection.execute(statement("keep_manners"), _manners_columns(learned))

    def _standings(self, names: Sequence[str]) -> dict[str, Standing]:
        if not names:
            return {}
        rows = self._catalog.rows("host_standings", names=list(names))
        unknown = set(names) - {row["name"] for row in rows}
        if unknown:
            self._catalog.count("know_hosts", names=sorted(unknown))
            rows += self._catalog.rows("host_standings", names=sorted(unknown))
        return {
            row["name"]: Standing(_manners(row), row["connections"], row["delay_seconds"], row["wanted"])
            for row in rows
        }

    def _take(self, wishes: Sequence[SlotWish]) -> list[Slot]:
        if not wishes:
            return []
        rows = self._catalog.rows(
            "take_slots",
            holder=self.holder,
            lease_seconds=self.lease_seconds,
            hosts=[wish.host for wish in wishes],
            counts=[wish.count for wish in wishes],
            limits=[wish.limit for wish in wishes],
        )
        taken = [(row["host"], row["number"]) for row in rows]
        given = {host for host, _ in taken}
        waiting = [wish.host for wish in wishes if wish.starving and wish.host not in given]
        if waiting:
            self._catalog.count("mark_waiting", names=waiting)
        return taken

    def _reserve(self, wishes: Sequence[SpanWish]) -> dict[str, Span]:
        if not wishes:
            return {}
        rows = self._catalog.rows(
            "reserve_spans",
            names=[wish.host for wish in wishes],
            seconds=[wish.seconds for wish in wishes],
            marks=[wish.mark for wish in wishes],
            only_longer=[wish.only_longer for wish in wishes],
        )
        seconds = {wish.host: wish.seconds for wish in wishes}
        return {
            row["name"]: Span(row["ends"] - seconds[row["name"]], row["ends"], row["mark"]) for row in rows
        }


def _columns(slots: Sequence[Slot]) -> dict[str, list[Any]]:
    return {"hosts": [host for host, _ in slots], "numbers": [number for _, number in slots]}


def _manners(row: Mapping[str, Any]) -> HostManners:
    """The manners of a row; its rest in seconds from now, None if it is over."""
    rest = row["rest_seconds"]
    return HostManners(
        connections=row["learned_connections"],
        delay_seconds=row["learned_delay_seconds"],
        rest_until=rest if rest is not None and rest > 0 else None,
        strikes=row["strikes"],
        good_replies=row["good_replies"],
        connect_failures=row["connect_failures"],
        latency_seconds=row["latency_seconds"],
        crawl_delay_seconds=row["crawl_delay_seconds"],
    )


def _after(manners: HostManners, taught: Taught) -> HostManners:
    manners = after_lessons(manners, taught.lessons, taught.rules)
    if taught.crawl_delay_seconds is not None:
        manners = replace(manners, crawl_delay_seconds=taught.crawl_delay_seconds)
    return manners


def _manners_columns(learned: Mapping[str, HostManners]) -> dict[str, list[Any]]:
    every = list(learned.values())
    return {
        "names": list(learned),
        "strikes": [manners.strikes for manners in every],
        "good_replies": [manners.good_replies for manners in every],
        "connect_failures": [manners.connect_failures for manners in every],
        "learned_connections": [manners.connections for manners in every],
        "learned_delays": [manners.delay_seconds for manners in every],
        "latencies": [manners.latency_seconds for manners in every],
        "crawl_delays": [manners.crawl_delay_seconds for manners in every],
        "rests": [manners.rest_until for manners in every],
    }
