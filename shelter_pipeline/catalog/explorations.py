"""The state of discovery's reading: which places wait, their pages, and what was found, so that any process can go on.

A place is taken for a lease with a fencing token. What its reader brings is written in one
transaction with the files found, and only if the token still holds; so a reader that was
killed, cut off or slow loses at most its last portion, and overwrites nobody's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement, storable, storable_moment
from shelter_pipeline.domain.urls import Url


@dataclass(frozen=True, slots=True)
class Taken:
    """A place that is ours for a while: `others` are the pages, files and bytes its dataset has spent elsewhere."""

    id: int
    url: str
    host: str
    kind: str
    rule: str
    round: int
    token: int
    dataset_id: int
    others: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page as the catalog keeps it. Of one that waits, `rest_seconds` are left until it may be asked for."""

    id: int
    exploration_id: int
    url: str
    parent_id: int | None
    round: int
    depth: int
    hops: int
    why: str
    label: str
    reader: str
    headers: Mapping[str, str]
    state: str
    what: str
    reason: str
    detail: str
    files: int
    data_files: int
    known_bytes: int
    left_behind: Mapping[str, int]
    digest: bytes | None
    attempts: int
    rest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PageFinding:
    """A file that a page gives. `size` is a promise, `estimated_size` only what somebody says."""

    page_id: int
    url: Url
    kind: str | None
    via: str
    why: str
    format: str | None = None
    media_type: str | None = None
    size: int | None = None
    estimated_size: int | None = None
    checksum: str | None = None
    modified: datetime | None = None  # as the page says


@dataclass(slots=True)
class Portion:
    """What is new of one place: pages, each after its parent, files, and how it stands, if it is put down."""

    taken: Taken
    pages: list[tuple[PageRow, Url]] = field(default_factory=list)
    findings: list[PageFinding] = field(default_factory=list)
    outcome: str | None = None  # given when it is put down
    detail: str = ""
    ended: bool = False
    rest: timedelta = timedelta(0)  # until something of it may be asked for again


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a place is kept, and how soon it is looked at again."""

    lease: timedelta
    shortest: timedelta
    longest: timedelta


def take_explorations(
    catalog: Catalog,
    portal_id: int,
    *,
    organization_id: int | None,
    limit: int,
    each: int,
    full_hosts: Sequence[str],
    lease: timedelta,
) -> list[tuple[Taken, list[PageRow]]]:
    """Up to `limit` places of a portal that have something to read, at most `each` of a host, with their pages."""
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        rows = connection.execute(
            statement("take_explorations"),
            {
                "portal_id": portal_id,
                "organization_id": organization_id,
                "limit": limit,
                "each": each,
                "full_hosts": list(full_hosts),
                "lease": lease,
            },
        ).mappings()
        taken = [
            Taken(
                row["id"],
                row["url"],
                row["host"],
                row["kind"],
                row["rule"],
                row["round"],
                row["token"],
                row["dataset_id"],
                (row["other_pages"], row["other_files"], row["other_bytes"]),
            )
            for row in rows
        ]
        pages: dict[int, list[PageRow]] = {one.id: [] for one in taken}
        found = connection.execute(
            statement("exploration_pages"), {"exploration_ids": list(pages)}
        ).mappings()
        for row in found:
            pages[row["exploration_id"]].append(PageRow(**row))
    return [(one, pages[one.id]) for one in taken]


def new_page_ids(catalog: Catalog, count: int) -> list[int]:
    """Numbers for so many pages."""
    if not count:
        return []
    return [row["id"] for row in catalog.rows("new_page_ids", count=count)]


def record_portions(catalog: Catalog, portions: Sequence[Portion], keeping: Keeping) -> tuple[int, set[int]]:
    """Keep what is new of several places in one transaction. Safe to repeat.

    Returns how many files are new to the catalog, and the places that somebody else has
    taken meanwhile, of which nothing was kept.
    """
    if not portions:
        return 0, set()
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        _stage(connection, portions)
        ours = set(connection.execute(statement("lock_explorations")).scalars())
        lost = {portion.taken.id for portion in portions} - ours
        if lost:
            connection.execute(statement("drop_foreign_pages"), {"ours": sorted(ours)})
        connection.execute(statement("lock_explored"))
        connection.execute(statement("merge_pages"))
        connection.execute(statement("merge_hosts"))
        connection.execute(statement("lock_found"))
        new = int(connection.execute(statement("merge_assets")).scalar_one())
        for name in ("note_listed", "link_found", "unlink_unlisted", "unlink_left", "leave_batches"):
            connection.execute(statement(name))
        connection.execute(
            statement("conclude_explorations"),
            {
                "lease": keeping.lease,
                "shortest_hours": keeping.shortest.total_seconds() / 3600,
                "longest_hours": keeping.longest.total_seconds() / 3600,
            },
        )
    return new, lost


def renew_explorations(catalog: Catalog, held: Sequence[Taken], lease: timedelta) -> None:
    """Keep places for another while."""
    if held:
        catalog.count("renew_explorations", held=_tokens(held), lease=lease)


def release_explorations(catalog: Catalog, held: Sequence[Taken]) -> None:
    """Give places back."""
    if held:
        catalog.count("release_explorations", held=_tokens(held))


def _tokens(held: Sequence[Taken]) -> str:
    return json.dumps([{"id": one.id, "token": one.token} for one in held])


def _stage(connection: Connection, portions: Sequence[Portion]) -> None:
    connection.execute(statement("stage_pages"))
    copy_rows(
        connection,
        "staged_exploration (id, token, concluded, outcome, detail, ended, rest)",
        (
            (p.taken.id, p.taken.token, p.outcome is not None, p.outcome, storable(p.detail), p.ended, p.rest)
            for p in portions
        ),
    )
    copy_rows(
        connection,
        "staged_page (id, exploration_id, url, url_hash, parent_id, round, depth, hops, why, label, reader, headers,"
        " state, what, reason, detail, files, data_files, known_bytes, left_behind, digest, attempts, rest)",
        (_page_row(page, url) for portion in portions for page, url in portion.pages),
    )
    copy_rows(
        connection,
        "staged_finding (exploration_id, page_id, url, url_hash, host, kind, format, media_type, size,"
        " estimated_size, listed_modified, checksum, via, why)",
        (_finding_row(portion.taken.id, one) for portion in portions for one in portion.findings),
    )


def _page_row(page: PageRow, url: Url) -> tuple[Any, ...]:
    return (
        page.id,
        page.exploration_id,
        url.text,
        url.digest,
        page.parent_id,
        page.round,
        page.depth,
        page.hops,
        page.why,
        storable(page.label),
        page.reader,
        json.dumps(dict(page.headers)),
        page.state,
        page.what,
        page.reason,
        storable(page.detail),
        page.files,
        page.data_files,
        page.known_bytes,
        json.dumps(dict(page.left_behind)),
        page.digest or None,
        page.attempts,
        timedelta(seconds=page.rest_seconds),
    )


def _finding_row(exploration_id: int, finding: PageFinding) -> tuple[Any, ...]:
    return (
        exploration_id,
        finding.page_id,
        finding.url.text,
        finding.url.digest,
        finding.url.host,
        finding.kind,
        None if finding.format is None else storable(finding.format),
        None if finding.media_type is None else storable(finding.media_type),
        finding.size,
        finding.estimated_size,
        storable_moment(finding.modified),
        finding.checksum,
        finding.via,
        finding.why,
    )
