"""The publishers' own records of rescued datasets: which are due, and what came of asking for them.

A row says for one version of the portal's record what its publisher's own was: a blob,
or the reason why there is none. The blob is in the store before its row says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.errors import SetupError


@dataclass(frozen=True, slots=True)
class WantedSource:
    """A dataset whose publisher's own record is to be asked for; `raw` is the portal's, as canonical JSON."""

    dataset_id: int
    identifier: str
    slug: str
    organization: str
    record_hash: bytes
    raw: str


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What came of asking once. Reason `stored` has a blob with its size in bytes; every other reason has none."""

    wanted: WantedSource
    url: str
    reason: str
    asked_at: datetime
    sha256: str | None = None
    size: int | None = None
    media_type: str | None = None


def due_source_records(
    catalog: Catalog, portal_id: int, *, organization: str | None, limit: int, rest_days: int
) -> tuple[list[WantedSource], int]:
    """Up to `limit` datasets to ask for, those with held files and the most popular first, and how many are due in all.

    `organization` is a partition key, None for the whole portal. What failed is due again
    after `rest_days`, or at once when the portal's record changes.
    """
    rows = catalog.rows(
        "due_source_records",
        portal_id=portal_id,
        organization=organization,
        limit=limit,
        rest_days=rest_days,
    )
    wanted = [
        WantedSource(
            row["dataset_id"],
            row["identifier"],
            row["slug"],
            row["organization"],
            bytes(row["record_hash"]),
            row["raw"],
        )
        for row in rows
    ]
    return wanted, int(rows[0]["due"]) if rows else 0


def record_source_records(catalog: Catalog, outcomes: Sequence[SourceOutcome], *, store: str) -> None:
    """Record all outcomes or none. SetupError if the catalog knows no store of this name."""
    with catalog.begin() as connection:
        for outcome in outcomes:
            if outcome.sha256 is not None:
                blob = {
                    "sha256": outcome.sha256,
                    "size": outcome.size,
                    "media_type": outcome.media_type,
                    "store": store,
                }
                if connection.execute(statement("record_blob"), blob).rowcount != 1:
                    raise SetupError(f"the catalog knows no store {store!r}; it must be made known first")
            connection.execute(
                statement("record_source"),
                {
                    "dataset_id": outcome.wanted.dataset_id,
                    "record_hash": outcome.wanted.record_hash,
                    "url": outcome.url,
                    "reason": outcome.reason,
                    "sha256": outcome.sha256,
                    "media_type": outcome.media_type,
                    "asked_at": outcome.asked_at,
                },
            )
