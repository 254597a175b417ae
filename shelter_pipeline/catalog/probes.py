"""Which files are to be probed, and what their probes told: taken for a while, recorded in portions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement, storable
from shelter_pipeline.domain.probing import OK, History, Look, Probe, Validators


@dataclass(frozen=True, slots=True)
class DueAsset:
    """A file that a run has taken to probe."""

    url: str
    host: str
    kind: str | None
    history: History


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe of a taken file, and what follows from it."""

    asset: DueAsset
    probe: Probe
    look: Look


def take_probes(
    catalog: Catalog,
    *,
    portal_id: int | None,
    organization_id: int | None,
    limit: int,
    per_host: int,
    lease_seconds: float,
    busy_hosts: Collection[str] = (),
) -> list[DueAsset]:
    """Take up to `limit` files of a portal, an organization, or all, for `lease_seconds`; no other run gets them.

    Of one host it takes up to `per_host`, of a busy one none. Files that are wanted and were
    never probed come first, of these the ones without a known size; then those due again.
    """
    wish = {"limit": limit, "per_host": per_host, "busy_hosts": list(busy_hosts)}
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        if organization_id is None:
            due = connection.execute(statement("due_probes"), wish | {"portal_id": portal_id})
        else:
            of = {"organization_id": organization_id}
            due = connection.execute(statement("due_probes_of_organization"), wish | of)
        asset_ids = list(due.scalars())
        mine = {"asset_ids": asset_ids, "lease_seconds": lease_seconds}
        taken = {
            row["asset_id"]: _due(row)
            for row in connection.execute(statement("take_probes"), mine).mappings()
        }
    return [taken[asset_id] for asset_id in asset_ids if asset_id in taken]


def renew_probes(catalog: Catalog, asset_ids: Sequence[int], *, lease_seconds: float) -> None:
    """Keep what a run has taken and not yet recorded."""
    catalog.count("renew_probes", asset_ids=list(asset_ids), lease_seconds=lease_seconds)


def release_probes(catalog: Catalog, asset_ids: Sequence[int]) -> None:
    """Give back what a run has taken and will not probe."""
    catalog.count("release_probes", asset_ids=list(asset_ids))


def record_probes(catalog: Catalog, probed: Sequence[Probed]) -> None:
    """Keep what was told and what follows, all or none. Safe to repeat."""
    if not probed:
        return
    with catalog.begin() as connection:
        connection.execute(statement("stage_probes"))
        copy_rows(connection, _STAGED, (_row(one) for one in probed))
        asset_ids = [one.asset.history.asset_id for one in probed]
        connection.execute(statement("lock_probed"), {"asset_ids": asset_ids})
        connection.execute(statement("record_probes"), {"ok": OK})
        connection.execute(statement("heed_probes"), {"ok": OK})


_STAGED = (
    "staged_probe (asset_id, host, reason, detail, status, method, final_url, requests, probed_at, size, media_type,"
    " etag, last_modified, accepts_ranges, filename, change, interval_seconds, rest_seconds, failures, alarm,"
    " only_size)"
)


def _row(probed: Probed) -> tuple[Any, ...]:
    asset, probe, look = probed.asset, probed.probe, probed.look
    return (
        asset.history.asset_id,
        asset.host,
        probe.reason,
        storable(probe.detail),
        probe.status,
        probe.method,
        storable(probe.final_url),
        probe.requests,
        probe.probed_at,
        probe.size,
        _storable(probe.media_type),
        _storable(probe.etag),
        _storable(probe.last_modified),
        probe.accepts_ranges,
        _storable(probe.filename),
        look.change.value if look.change else None,
        look.interval.total_seconds(),
        look.rest.total_seconds(),
        look.failures,
        look.alarm,
        look.only_size,
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _due(row: Any) -> DueAsset:
    seconds = row["interval_seconds"]
    seen = Validators(row["seen_etag"], row["seen_last_modified"], row["seen_size"]) if row["seen"] else None
    history = History(
        row["asset_id"],
        held=row["held"],
        reason=row["reason"],
        kept=Validators(row["kept_etag"], row["kept_last_modified"], row["kept_size"]),
        seen=seen,
        interval=None if seconds is None else timedelta(seconds=seconds),
        failures=row["failures"],
        alarm=row["alarm"],
        only_size=row["only_size"],
    )
    return DueAsset(row["url"], row["host"], row["kind"], history)
