"""Answers that may be asked for twice: a request whose answer got lost is not done again.

A key belongs to one request of one caller. The first to bring it does the work; whoever
brings it again within a day gets the answer of the first, or is told that another request
has it or that it is still at work. A worker that vanished leaves its key after a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.connection import Catalog

MEMORY_SECONDS = 86_400.0
PATIENCE_SECONDS = 60.0  # with a request that is at work, or died at it
_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key for one request: whose, which, and a hash of what is asked for."""

    principal: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """The request that had a key first: what it asked for, and its answer as far as there is one."""

    request_hash: bytes
    status: int | None  # None: it is at work
    answer: bytes | None  # None beside a status: it was too large to be kept


def take_key(
    catalog: Catalog,
    key: Key,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    memory_seconds: float = MEMORY_SECONDS,
) -> datetime | Earlier:
    """The fence under which this request has the key, or the request that has it."""
    while True:
        rows = catalog.rows(
            "take_key",
            principal=key.principal,
            key=key.key,
            request_hash=key.request_hash,
            patience_seconds=patience_seconds,
            memory_seconds=memory_seconds,
        )
        if rows:
            fence: datetime = rows[0]["fence"]
            return fence
        found = catalog.rows("find_key", principal=key.principal, key=key.key)
        if found:  # or else it was given back in between, and is free
            return Earlier(**found[0])


def keep_answer(catalog: Catalog, key: Key, fence: datetime, status: int, answer: bytes | None) -> bool:
    """Keep the answer for whoever asks again; False if the key went to another request meanwhile."""
    return bool(
        catalog.count(
            "keep_answer", principal=key.principal, key=key.key, fence=fence, status=status, answer=answer
        )
    )


def forget_key(catalog: Catalog, key: Key, fence: datetime) -> None:
    """Give a key back under which nothing was done."""
    catalog.count("forget_key", principal=key.principal, key=key.key, fence=fence)


def forget_old_keys(
    catalog: Catalog, *, limit: int = _PORTION, memory_seconds: float = MEMORY_SECONDS
) -> int:
    """Forget up to `limit` keys that are past their day; returns how many there were."""
    return catalog.count("forget_old_keys", limit=limit, memory_seconds=memory_seconds)
