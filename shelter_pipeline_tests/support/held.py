"""Files that a catalog and its store hold, put there in one step."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from shelter_pipeline.catalog.claims import know_store
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.store import Blob

_HELD = """
WITH place AS (
    INSERT INTO host (name) VALUES ('files.example:443') ON CONFLICT DO NOTHING
), bytes AS (
    INSERT INTO blob (sha256, size, media_type) VALUES (:sha256, :size, :media_type) ON CONFLICT DO NOTHING
), held AS (
    INSERT INTO copy (sha256, store_id, proved_by)
    SELECT :sha256, id, 'store' FROM store WHERE name = :store ON CONFLICT DO NOTHING
)
INSERT INTO asset (url, url_hash, host, state, sha256, size)
VALUES (:url, :url_hash, 'files.example:443', 'held', :sha256, :size)
RETURNING id
"""


def hold(
    workplace: Workplace,
    data: bytes,
    *,
    url: str = "https://files.example/data/readings.csv",
    media_type: str | None = "text/csv",
) -> Blob:
    """These bytes as the file of this URL."""
    with workplace.store.receive() as partial:
        partial.write(data)
        blob = workplace.store.publish(partial)
    know_store(workplace.catalog, workplace.store.name)
    with workplace.catalog.begin() as connection:
        connection.execute(
            sa.text(_HELD),
            {
                "sha256": blob.sha256,
                "size": blob.size,
                "media_type": media_type,
                "store": workplace.store.name,
                "url": url,
                "url_hash": hashlib.sha256(url.encode()).digest(),
            },
        )
    return blob
