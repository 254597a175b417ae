"""What others say they hold, by URL: no copy of ours, but a reason to spend our bytes elsewhere.

A holder's word about a URL is one row, however often it is told; the newest date stands,
and what an older telling knew beside it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement, storable
from shelter_pipeline.catalog.tables_priority import holding
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import Url


class Holding(NamedTuple):
    """One URL that somebody holds; `url_hash` is the identity of an asset, `sha256` the holder's word on the bytes."""

    url: str
    url_hash: bytes
    holder: str
    sha256: str | None
    held_at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldingCounts:
    """What an inventory changed: distinct URLs by holder that were new, told anew, and known as they were."""

    rows: int
    new: int
    renewed: int
    known: int
    holders: int
    matched_assets: int


def merge_holdings(catalog: Catalog, holdings: Iterable[Holding], *, source: str) -> HoldingCounts:
    """Keep all these in one transaction. Safe to repeat; whatever `holdings` raises undoes all."""
    with catalog.begin() as connection:
        connection.execute(statement("stage_holdings"))
        copy_rows(connection, "staged_holding (url, url_hash, holder, sha256, held_at)", holdings)
        connection.execute(sa.text("ANALYZE staged_holding"))
        row = connection.execute(statement("merge_holdings"), {"source": storable(source)}).mappings().one()
        return HoldingCounts(**row)


def list_holders(catalog: Catalog) -> list[dict[str, Any]]:
    """Every holder with its URLs, and the files and bytes of ours that are among them; most files first."""
    return [dict(row) for row in catalog.rows("list_holders")]


def holdings_of(catalog: Catalog, url: Url) -> list[dict[str, Any]]:
    """Who says to hold this URL, the newest first."""
    wanted = (
        sa.select(holding.c.holder, holding.c.held_at, holding.c.sha256, holding.c.source)
        .where(holding.c.url_hash == url.digest)
        .order_by(holding.c.held_at.desc().nulls_last(), holding.c.holder)
    )
    with catalog.begin() as connection:
        return [dict(row) for row in connection.execute(wanted).mappings()]


def remove_holder(catalog: Catalog, holder: str) -> int:
    """Forget all that a holder said; returns how many URLs. SetupError naming the known holders if there is none."""
    with catalog.begin() as connection:
        removed = connection.execute(sa.delete(holding).where(holding.c.holder == holder)).rowcount
    if not removed:
        known = ", ".join(row["holder"] for row in list_holders(catalog)[:20]) or "none yet"
        raise SetupError(f"there is no holder {holder!r}; known holders: {known}")
    return removed
