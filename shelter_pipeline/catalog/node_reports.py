"""What nodes report under their claims: read and written in one transaction, by whoever settles the reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.node_deeds import note_deed
from shelter_pipeline.domain.challenges import Range
from shelter_pipeline.domain.trust import Deed

_WITNESS_DAYS = 30
_FORGIVEN_DAYS = 7


@dataclass(frozen=True, slots=True)
class ReportedClaim:
    """A claim of a node, with what was promised of its file and what was reported under it before, if anything was."""

    token: int
    asset_id: int
    purpose: str
    is_live: bool
    url: str
    format: str | None
    media_type: str | None
    checksum: str | None
    expected_size: int | None
    sha256: str | None  # what the file holds
    is_held: bool  # then the claim to fetch it is for a second look
    attempts: int
    said_reason: str | None
    said_sha256: str | None
    said_late: bool | None
    accepted: Sequence[str] = ()
    rejected: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AskedProof:
    """What a node is to show, and until when."""

    id: int
    kind: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """How many files a node is to send now, and how many it did not send in time lately."""

    open: int
    missed: int


class ReportLedger:
    """The rows about one completion of one node; what is written is written at the end, all or nothing."""

    def __init__(self, connection: Connection, node_id: int, store: str) -> None:
        self._connection = connection
        self._node_id = node_id
        self._store = store

    def claims(self, tokens: Iterable[int]) -> dict[int, ReportedClaim]:
        """The claims that these tokens name and this node has or had, locked together with their files."""
        parameters = {"tokens": sorted(set(tokens)), "node_id": self._node_id}
        rows = self._connection.execute(statement("lock_reported"), parameters).mappings()
        claims = {row["token"]: ReportedClaim(**row) for row in rows}
        assets = sorted({claim.asset_id for claim in claims.values()})
        self._connection.execute(statement("lock_assets"), {"asset_ids": assets})
        return claims

    def held(self, digests: Iterable[str]) -> dict[str, int]:
        """Those of these digests that our store holds, with their sizes."""
        parameters = {"digests": sorted(set(digests)), "store": self._store}
        return {row.sha256: row.size for row in self._connection.execute(statement("held_blobs"), parameters)}

    def witnesses(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
        """By token, how many independent nodes said the same lately, this one included."""
        if not rows:
            return {}
        parameters = {"rows": json.dumps(list(rows)), "node_id": self._node_id, "days": _WITNESS_DAYS}
        found = self._connection.execute(statement("count_witnesses"), parameters)
        return {row.token: row.witnesses for row in found}

    def owed(self) -> Owed:
        """What this node owes us."""
        parameters = {"node_id": self._node_id, "days": _FORGIVEN_DAYS}
        return Owed(**self._connection.execute(statement("owed_uploads"), parameters).mappings().one())

    def record(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """End claims, keep captures, move files on: each row says which of these with `ends`, `capture`, `after`."""
        given = {"rows": msgspec.json.encode(list(rows)).decode(), "node_id": self._node_id}
        looked = [row["asset_id"] for row in rows if row["capture"] and row["ends"] and row["sha256"]]
        if looked:
            taken = {"asset_ids": sorted(looked), "node_id": self._node_id}
            self._connection.execute(statement("look_taken"), taken)
        for name, wanted in (
            ("end_reported", "ends"),
            ("record_reports", "capture"),
            ("follow_reports", "after"),
        ):
            chosen = [row for row in rows if row[wanted]]
            if chosen:
                given["rows"] = msgspec.json.encode(chosen).decode()
                self._connection.execute(statement(name), given)

    def ask(
        self,
        kind: str,
        *,
        sha256: str,
        size: int,
        asset_id: int | None,
        seconds: float,
        media_type: str | None,
        last_modified: str | None,
        nonce: bytes | None = None,
        ranges: Sequence[Range] = (),
    ) -> AskedProof:
        """Ask the node for a proof, or for the one of these bytes that it owes already."""
        row = self._connection.execute(
            statement("ask_proof"),
            {
                "node_id": self._node_id,
                "asset_id": asset_id,
                "sha256": sha256,
                "size": size,
                "kind": kind,
                "media_type": media_type,
                "last_modified": last_modified,
                "nonce": nonce,
                "ranges": json.dumps(ranges),
                "seconds": seconds,
            },
        ).one()
        return AskedProof(row.id, row.kind, row.deadline)

    def asked(self, sha256: str) -> AskedProof | None:
        """What the node owes of these bytes already."""
        found = self._connection.execute(
            statement("asked_proof"), {"node_id": self._node_id, "sha256": sha256}
        ).one_or_none()
        return AskedProof(found.id, found.kind, found.deadline) if found else None

    def claim_copy(self, sha256: str) -> None:
        """The node says that it holds this blob of ours."""
        self._connection.execute(statement("claim_copy"), {"sha256": sha256, "node_id": self._node_id})

    def agree(
        self, asset_id: int, sha256: str, size: int, *, media_type: str | None, rest_seconds: float
    ) -> None:
        """Independent nodes reported the same bytes: their copies count, and the file is held by them."""
        known = {"sha256": sha256, "size": size}
        self._connection.execute(statement("know_blob"), {**known, "media_type": media_type})
        agreed = {"asset_id": asset_id, "days": _WITNESS_DAYS, **known}
        for node_id in self._connection.scalars(statement("agreeing_nodes"), agreed).all():
            copied = {"sha256": sha256, "node_id": node_id, "proved_by": "quorum"}
            self._connection.execute(statement("prove_copy"), copied)
            note_deed(self._connection, node_id, Deed.QUORUM, asset_id=asset_id, sha256=sha256)
        held = self._connection.execute(
            statement("hold_proved"),
            {
                "node_id": self._node_id,
                "asset_id": asset_id,
                "sha256": sha256,
                "detail": "independent nodes report the same bytes",
                "flags": ["by-node", "quorum"],
                "rest_seconds": rest_seconds,
            },
        ).one()
        if held.verdict == "stored" and not held.late:
            self._connection.execute(
                statement("add_testimony"),
                {
                    "node_id": self._node_id,
                    "asset_id": asset_id,
                    "capture_id": held.id,
                    "sha256": sha256,
                    "last_modified": None,
                    "began_at": held.started_at,
                    "wanted": False,
                    "finding": "confirmed",
                },
            )


@contextmanager
def report_ledger(catalog: Catalog, node_id: int, store: str) -> Iterator[ReportLedger]:
    """One transaction about the reports of one node; rolled back on any error."""
    with catalog.begin() as connection:
        yield ReportLedger(connection, node_id, store)
