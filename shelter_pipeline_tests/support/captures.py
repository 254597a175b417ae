"""Captures of a test's choosing: any reason, any time, settled under a real claim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from shelter_pipeline.catalog.claims import ClaimedAsset, know_store
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.settling import CaptureRow, settle_claim
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import holds_file, verdict_of

_CLAIM = """
WITH taken AS (
    INSERT INTO claim (asset_id, holder, lease_until)
    SELECT id, 'test', now() + interval '1 hour' FROM asset WHERE url = :url
    RETURNING token, asset_id
)
SELECT taken.token, asset.id AS asset_id, asset.url, asset.host, asset.format, asset.media_type, asset.checksum,
       asset.expected_size, asset.sha256, asset.etag, asset.last_modified, asset.attempts
  FROM taken JOIN asset ON asset.id = taken.asset_id
"""


def captured(
    catalog: Catalog, url: str, reason: str, *, days_ago: float = 0, status: int | None = 200, size: int = 5
) -> None:
    """One capture of the asset of `url` that ended for `reason`, and what follows from it."""
    know_store(catalog, "test")
    with catalog.begin() as connection:
        claim = ClaimedAsset(**connection.execute(sa.text(_CLAIM), {"url": url}).mappings().one())
    held = holds_file(verdict_of(reason))
    when = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    row = CaptureRow(
        verdict=verdict_of(reason).value,
        reason=reason,
        detail="",
        final_url=url,
        status=status,
        heads={},
        flags=(),
        requests=1,
        wire_bytes=size,
        sha256=f"{claim.asset_id:064x}" if held else None,
        size=size if held else None,
        media_type=None,
        etag=None,
        last_modified=None,
        started_at=when,
        finished_at=when,
        held=held,
    )
    after = follow_up(reason, claim.attempts, max_attempts=5)
    assert settle_claim(catalog, claim, row, after, batch_id=None, store="test")
