"""Batches in the ledger: planned, run, closed. A batch's members are the assets that point to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.tables_rescue import batch
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.follow_up import OUR_TROUBLES


@dataclass(frozen=True, slots=True)
class PlannableAsset:
    """An asset that is due and in no open batch. `size` in bytes, None while unknown."""

    id: int
    host: str
    size: int | None
    score: float


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """One unit of work to be written: whose, at which host (None: mixed), which assets."""

    host: str | None
    host_slug: str
    asset_ids: tuple[int, ...]
    bytes: int
    score: float


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the sensor and the report need it."""

    id: int
    key: str
    organization: str
    host: str | None
    state: str
    attempt: int
    urgent: bool
    score: float
    files: int
    bytes: int
    share: float = 0.0  # of a batch that waits: its score, the less the more turns its organization has


def plannable_assets(catalog: Catalog, organization_id: int) -> list[PlannableAsset]:
    """Everything of an organization that is due, not excluded, and in no open batch; best first within a host."""
    return [
        PlannableAsset(**row) for row in catalog.rows("plannable_assets", organization_id=organization_id)
    ]


def want_again(catalog: Catalog, organization_id: int) -> int:
    """Want what an organization lost to our own troubles again, as a person may ask; returns how many files."""
    return catalog.count("want_again", organization_id=organization_id, our_reasons=sorted(OUR_TROUBLES))


def write_batches(
    catalog: Catalog,
    organization_id: int,
    organization_key: str,
    planned: Sequence[PlannedBatch],
    *,
    urgent: bool,
) -> list[str]:
    """Write planned batches; returns their partition keys.

    Each takes only assets that are still in no open batch, so two planners may race; a
    batch left without assets is not written. `urgent` also moves the organization's
    waiting batches to the front, due at once.
    """
    keys: list[str] = []
    with catalog.begin() as connection:
        connection.execute(statement("lock_planning"), {"organization_id": organization_id})
        wanted = sorted({asset_id for plan in planned for asset_id in plan.asset_ids})
        connection.execute(statement("lock_assets"), {"asset_ids": wanted})
        if urgent:
            connection.execute(statement("make_urgent"), {"organization_id": organization_id})
        for plan in planned:
            key = connection.execute(
                statement("write_batch"),
                {
                    "organization_id": organization_id,
                    "prefix": f"{organization_key}.{plan.host_slug}.",
                    "host": plan.host,
                    "urgent": urgent,
                    "score": plan.score,
                    "bytes": plan.bytes,
                    "asset_ids": list(plan.asset_ids),
                },
            ).scalar_one_or_none()
            if key is not None:
                keys.append(key)
    return keys


def planned_batches(
    catalog: Catalog,
    *,
    limit: int,
    exclude: Sequence[str] = (),
    busy_hosts: Sequence[str] = (),
    taken_hosts: Sequence[str] = (),
) -> list[BatchRow]:
    """Batches that wait and are due, urgent ones and high scores first, at most one of each host.

    Without those named in `exclude`, without those of `taken_hosts`, and without those of
    `busy_hosts` that are not urgent.
    """
    rows = catalog.rows(
        "planned_batches",
        limit=limit,
        exclude=list(exclude),
        busy_hosts=list(busy_hosts),
        taken_hosts=list(taken_hosts),
    )
    return [BatchRow(**row) for row in rows]


def urgent_among(catalog: Catalog, keys: Sequence[str]) -> set[str]:
    """Those of these batches that a person has asked for and no run has begun."""
    return {row["key"] for row in catalog.rows("urgent_among", keys=list(keys))}


def organization_batches(catalog: Catalog, organization_id: int) -> list[BatchRow]:
    """The open batches of one organization, in the order they should run."""
    return [BatchRow(**row) for row in catalog.rows("organization_batches", organization_id=organization_id)]


@dataclass(frozen=True, slots=True)
class AtWork:
    """A holder of live claims on so many files of a batch: a run of Dagster's, or a command somewhere."""

    key: str
    holder: str
    files: int


def others_at_work(catalog: Catalog, organization_id: int) -> list[AtWork]:
    """Who works on the open batches of an organization just now."""
    return [AtWork(**row) for row in catalog.rows("others_at_work", organization_id=organization_id)]


def find_batch(catalog: Catalog, key: str) -> BatchRow:
    """The batch of a partition key. SetupError if there is none."""
    rows = catalog.rows("find_batch", key=key)
    if not rows:
        raise SetupError(f"there is no batch {key!r} in the catalog; plan the organization first")
    return BatchRow(**rows[0])


def wanted_of_batch(catalog: Catalog, batch_id: int) -> list[int]:
    """The files of a batch that are still wanted."""
    return [row["id"] for row in catalog.rows("assets_of_batch", batch_id=batch_id)]


def begin_batch(catalog: Catalog, batch_id: int, run_id: str) -> None:
    """Note that a run works on the batch; running a batch again is allowed at any time."""
    with catalog.begin() as connection:
        connection.execute(
            sa.update(batch)
            .where(batch.c.id == batch_id)
            .values(state="running", run_id=run_id, started_at=sa.func.now())
        )


def close_batch(
    catalog: Catalog, batch_id: int, *, manifest: str | None, max_attempts: int, rest_seconds: float = 0.0
) -> dict[str, Any]:
    """End a run of the batch by what the ledger says; returns `{state, leftover, claimed, attempt, not_before}`.

    Done when every asset has a terminal verdict; planned again, for when the first of
    them is due and `rest_seconds` from now at the soonest, while something is left over;
    failed when its attempts are used up;
    untouched while another run holds claims on it.
    """
    parameters = {
        "batch_id": batch_id,
        "manifest": manifest,
        "max_attempts": max_attempts,
        "rest_seconds": rest_seconds,
    }
    return dict(catalog.rows("close_batch", **parameters)[0])


@dataclass(frozen=True, slots=True)
class ExpiredClaim:
    """A claim whose lease ran out, and whose it was."""

    asset_id: int
    token: int
    node_id: int | None
    holder: str


def expire_claims(catalog: Catalog, *, max_asset_attempts: int) -> list[ExpiredClaim]:
    """End every claim whose lease ran out, and count what it says of its file; returns them.

    A file is given up (`dead`) after so many failures. A node counts once against each file,
    and only if it had begun with it.
    """
    return [ExpiredClaim(**row) for row in catalog.rows("expire_claims", max_attempts=max_asset_attempts)]


def reap(catalog: Catalog, *, max_asset_attempts: int, max_batch_attempts: int) -> dict[str, int]:
    """Take back what was lost: expire claims whose lease ran out, plan batches again that nobody works on."""
    expired = expire_claims(catalog, max_asset_attempts=max_asset_attempts)
    requeued = len(catalog.rows("requeue_batches", max_attempts=max_batch_attempts))
    return {"expired_claims": len(expired), "requeued_batches": requeued}


def release_run(
    catalog: Catalog,
    run_id: str,
    *,
    max_attempts: int,
    key: str | None = None,
    attempt: int | None = None,
    rest_minutes: int = 0,
) -> list[str]:
    """Free all that a dead run held; returns the keys of the batches that wait for another attempt.

    `key` and `attempt` say which batch the run was asked for, in case it ended before it
    began. The batch rests for at least `rest_minutes`, and longer with each attempt.
    """
    rows = catalog.rows(
        "release_run",
        run_id=run_id,
        max_attempts=max_attempts,
        key=key,
        attempt=attempt,
        rest_minutes=rest_minutes,
    )
    return [row["key"] for row in rows]
