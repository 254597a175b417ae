"""Counts of the whole catalog, made now and then and kept: reading them costs the same at any size.

One process counts at a time, and the more a count costs the more rarely it is made. Every
answer says when it was counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.losses import loss_counts
from shelter_pipeline.catalog.progress import OrganizationProgress, organization_progress, totals
from shelter_pipeline.catalog.reading import Rows, read_ids, reading, rows_of
from shelter_pipeline.catalog.tables_catalogue import organization
from shelter_pipeline.catalog.tables_rescue import capture
from shelter_pipeline.catalog.tables_search import organization_summary, summary
from shelter_pipeline.catalog.throughput import throughput_totals
from shelter_pipeline.catalog.watch_lists import count_watch_lists

PROOF_DAYS = 14  # every blob is read anew each week; once missed is not yet forgotten
_MOST_TYPES = 300
_REPORTS = ("overview", "file-types", "at-risk", "queue", "contributions", "holdings")
_TYPES = ("files", "held_files", "pending_files", "failed_files", "held_bytes")


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one report and when they were made."""

    body: dict[str, Any]
    counted_at: datetime


def refresh_summaries(catalog: Catalog, *, older_than_seconds: float) -> bool:
    """Count anew if nobody else does and the last counts are older than this; returns whether it was done."""
    with catalog.begin() as guard:
        due = {"names": list(_REPORTS), "seconds": older_than_seconds}
        if not guard.execute(statement("lock_summaries"), due).scalar_one():
            return False
        begun = time.monotonic()
        standings = _standings(catalog)
        reports = {
            "overview": _overview(catalog, standings),
            "file-types": _file_types(catalog),
            **count_watch_lists(catalog),
            "holdings": _holdings(catalog, standings),
        }
        seconds = time.monotonic() - begun
        guard.execute(statement("keep_standings"), {"standings": _json(standings)})
        for name, body in reports.items():
            guard.execute(statement("keep_summary"), {"name": name, "body": _json(body), "seconds": seconds})
        return True


def read_summary(catalog: Catalog, name: str) -> Counted | None:
    """The counts of the report of this name, as `refresh_summaries` makes them; None if they were never made."""
    return read_summaries(catalog, name).get(name)


def read_summaries(catalog: Catalog, *names: str) -> dict[str, Counted]:
    """Those of the reports of these names that were made."""
    wanted = sa.select(summary.c.name, summary.c.body, summary.c.counted_at).where(summary.c.name.in_(names))
    with reading(catalog) as connection:
        return {row.name: Counted(row.body, row.counted_at) for row in connection.execute(wanted)}


def list_organizations(catalog: Catalog, *, portal_id: int | None, after: int, limit: int) -> Rows:
    """Organizations with ids above `after`, by id, each as it stood when it was last counted."""
    ids = sa.select(organization.c.id).where(organization.c.id > after)
    if portal_id is not None:
        ids = ids.where(organization.c.portal_id == portal_id)
    with reading(catalog) as connection:
        page = read_ids(connection, ids.order_by(organization.c.id).limit(limit))
        return rows_of(connection, "organization_cards", page)


def largest_organizations(catalog: Catalog, *, limit: int) -> Rows:
    """The organizations with most datasets, as they stood when they were last counted."""
    standing = organization_summary.c
    ids = sa.select(standing.organization_id).order_by(standing.datasets.desc(), standing.organization_id)
    with reading(catalog) as connection:
        return rows_of(connection, "organization_cards", read_ids(connection, ids.limit(limit)))


def read_organization(catalog: Catalog, key: str) -> dict[str, Any] | None:
    """One organization as it stood when it was last counted; None if there is none of this key."""
    wanted = sa.select(organization.c.id).where(organization.c.key == key)
    with reading(catalog) as connection:
        return next(iter(rows_of(connection, "organization_cards", read_ids(connection, wanted))), None)


def _standings(catalog: Catalog) -> list[dict[str, Any]]:
    absent = {row["organization"]: row["datasets"] for row in catalog.rows("count_absent")}
    return [
        {
            **asdict(progress),
            "verdict": progress.verdict,
            "absent_datasets": absent.get(progress.organization, 0),
        }
        for progress in organization_progress(catalog)
    ]


def _overview(catalog: Catalog, standings: list[dict[str, Any]]) -> dict[str, Any]:
    verdicts: dict[str, int] = {}
    for standing in standings:
        verdicts[standing["verdict"]] = verdicts.get(standing["verdict"], 0) + 1
    return {
        **totals(catalog),
        "absent_datasets": sum(standing["absent_datasets"] for standing in standings),
        "organizations_by_verdict": verdicts,
        "losses": loss_counts(catalog),
        "portal_list": [
            {name: row[name] for name in ("portal", "kind", "url", "datasets", "harvested_at", "complete_at")}
            for row in catalog.rows("portal_overview")
        ],
    }


def _holdings(catalog: Catalog, standings: list[dict[str, Any]]) -> dict[str, Any]:
    """Files by state and reason with their bytes, copies by state and place, contents by the copies they have."""
    with catalog.begin() as connection:
        captures = throughput_totals(connection)
        newest = connection.execute(sa.select(sa.func.max(capture.c.id))).scalar_one()
    return {
        "newest_capture": newest or 0,  # when files began to be counted
        "files": [dict(row) for row in catalog.rows("holdings_files")],
        "copies": [dict(row) for row in catalog.rows("holdings_copies")],
        "spread": [dict(row) for row in catalog.rows("holdings_spread", days=PROOF_DAYS)],
        "lost_files": dict(catalog.rows("lost_files")[0]),
        "excluded": dict(catalog.rows("holdings_excluded")[0]),
        "captures": captures,
        "unfollowed_links": sum(standing["undiscovered"] for standing in standings),
    }


def _file_types(catalog: Catalog) -> dict[str, Any]:
    found: dict[str, list[Mapping[str, Any]]] = {"kind": [], "format": []}
    for row in catalog.rows("count_file_types"):
        found[row["by"]].append({"name": row["name"], **{name: row[name] for name in _TYPES}})
    return {"kinds": found["kind"][:_MOST_TYPES], "formats": found["format"][:_MOST_TYPES]}


def progress_of(card: Mapping[str, Any]) -> OrganizationProgress:
    """The standing of what a card counts, so that one rule gives the verdict on datasets and organizations."""
    return OrganizationProgress(
        organization=card["organization"],
        name="",
        datasets=1,
        expected_files=card["files"],
        held_files=card["held_files"],
        held_bytes=card["held_bytes"],
        waiting_files=card["waiting_files"],
        resting_files=card["resting_files"],
        failed=dict.fromkeys(card["failed"] or (), 1),
        not_files=dict.fromkeys(card["not_files"] or (), 1),
        undiscovered=card["undiscovered"],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
