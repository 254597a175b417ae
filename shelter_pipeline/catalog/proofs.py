"""Proofs of what nodes hold: asked for, answered, ended; and what follows for copies, files and trust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.catalog.node_deeds import note_deed, want_unheld
from shelter_pipeline.domain.challenges import Range
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.trust import Deed


@dataclass(frozen=True, slots=True)
class ProofRow:
    """What a node is to show, or has shown."""

    id: int
    asset_id: int | None
    sha256: str
    size: int
    kind: str
    state: str
    media_type: str | None
    last_modified: str | None
    nonce: bytes | None
    ranges: list[list[int]]
    deadline: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class OpenProof:
    """What a node still owes."""

    id: int
    asset_id: int | None
    sha256: str
    size: int
    nonce: bytes | None
    ranges: list[list[int]]
    deadline: datetime


@dataclass(frozen=True, slots=True)
class ProvedFile:
    """A file that waits for a proof, with what was promised of it and what its node says of the reply."""

    asset_id: int
    url: str
    format: str | None
    media_type: str | None
    checksum: str | None
    expected_size: int | None
    held_size: int | None
    attempts: int
    flags: Sequence[str]
    began_at: datetime
    accepted: Sequence[str]
    rejected: Sequence[str]


@dataclass(frozen=True, slots=True)
class DueChallenge:
    """A copy that is to be challenged."""

    node_id: int
    sha256: str
    size: int


def find_proof(catalog: Catalog, node_id: int, proof_id: int) -> ProofRow | None:
    """The proof of this number, if it is this node's."""
    rows = catalog.rows("find_proof", proof_id=proof_id, node_id=node_id)
    return ProofRow(**rows[0]) if rows else None


def proof_owner(catalog: Catalog, proof_id: int) -> str | None:
    """The name of the node whose proof this is."""
    rows = catalog.rows("proof_owner", proof_id=proof_id)
    return str(rows[0]["name"]) if rows else None


def open_proofs(catalog: Catalog, node_id: int, kind: str, *, limit: int) -> list[OpenProof]:
    """What this node still owes of one kind, the most urgent first."""
    return [OpenProof(**row) for row in catalog.rows("open_proofs", node_id=node_id, kind=kind, limit=limit)]


def proved_files(catalog: Catalog, node_id: int, sha256: str) -> list[ProvedFile]:
    """The files of which this node reported these bytes and which wait for their proof."""
    return [ProvedFile(**row) for row in catalog.rows("proved_files", node_id=node_id, sha256=sha256)]


def due_challenges(
    catalog: Catalog, *, store: str, least_days: float, most_days: float, per_node: int, limit: int
) -> list[DueChallenge]:
    """Copies to be challenged now: each between `least_days` (no trust) and `most_days` (full trust) after the last."""
    rows = catalog.rows(
        "due_challenges",
        store=store,
        least_days=least_days,
        most_days=most_days,
        per_node=per_node,
        limit=limit,
    )
    return [DueChallenge(**row) for row in rows]


def issue_challenges(
    catalog: Catalog, drawn: Iterable[tuple[DueChallenge, bytes, Sequence[Range]]], *, seconds: float
) -> int:
    """Set these challenges, each with its nonce and ranges; returns how many are new."""
    rows = [
        {
            "node_id": due.node_id,
            "sha256": due.sha256,
            "size": due.size,
            "nonce": nonce.hex(),
            "ranges": ranges,
        }
        for due, nonce, ranges in drawn
    ]
    return catalog.count("issue_challenges", rows=msgspec.json.encode(rows).decode(), seconds=seconds)


def expire_uploads(catalog: Catalog, *, limit: int) -> int:
    """Uploads that did not come: a little trust is lost, and the file is somebody else's."""
    with catalog.begin() as connection:
        expired = connection.execute(statement("expire_proofs"), {"kind": "upload", "limit": limit}).all()
        for proof in sorted(expired, key=lambda proof: (proof.node_id, proof.id)):
            note_deed(
                connection,
                proof.node_id,
                Deed.NO_UPLOAD,
                asset_id=proof.asset_id,
                sha256=proof.sha256,
                detail="it reported the file and did not send it in time",
            )
    return len(expired)


def expire_challenges(catalog: Catalog, *, limit: int) -> int:
    """Challenges that were not answered: no lie, but the copy counts for nothing until it is proved again."""
    with catalog.begin() as connection:
        expired = connection.execute(statement("expire_proofs"), {"kind": "challenge", "limit": limit}).all()
        doubted = {"nodes": [one.node_id for one in expired], "digests": [one.sha256 for one in expired]}
        if expired:
            want_unheld(connection, list(connection.scalars(statement("doubt_copies"), doubted)))
    return len(expired)


class ProofLedger:
    """The rows about one proof, in one transaction; `state` is that of the proof, which nobody else changes."""

    def __init__(self, connection: Connection, node_id: int, proof: ProofRow, state: str) -> None:
        self.state = state
        self._connection = connection
        self._node_id = node_id
        self._proof = proof

    def close(self, state: str, detail: str = "") -> None:
        """End the proof: `passed`, `failed` or `expired`."""
        ended = {"proof_id": self._proof.id, "state": state, "detail": storable(detail)}
        self._connection.execute(statement("close_proof"), ended)

    def deed(self, deed: Deed, detail: str = "") -> float:
        """Note what the node did; returns its trust."""
        return note_deed(
            self._connection,
            self._node_id,
            deed,
            asset_id=self._proof.asset_id,
            sha256=self._proof.sha256,
            detail=detail,
        )

    def store_blob(self, store: str, size: int) -> None:
        """Our store holds the bytes, which we have hashed: whatever was said of their number, this is it."""
        known = {"sha256": self._proof.sha256, "size": size, "media_type": self._proof.media_type}
        stored = self._connection.execute(statement("record_blob"), {**known, "store": store})
        if stored.rowcount != 1:
            raise SetupError(f"the catalog knows no store {store!r}; it must be made known first")
        self._connection.execute(statement("correct_size"), known)

    def prove_copy(self, proved_by: str) -> None:
        """The node's copy counts from now on."""
        copied = {"sha256": self._proof.sha256, "node_id": self._node_id, "proved_by": proved_by}
        self._connection.execute(statement("prove_copy"), copied)

    def fail_copy(self, state: str) -> None:
        """The node's copy is `damaged` or `missing`; files that had no other are wanted again."""
        failed = {"sha256": self._proof.sha256, "node_id": self._node_id, "state": state}
        if self._connection.execute(statement("fail_copy"), failed).rowcount:
            want_unheld(self._connection, [self._proof.sha256])

    def brought_files(self) -> int:
        """How many files this node has brought so far."""
        counted = self._connection.execute(statement("brought_files"), {"node_id": self._node_id})
        return int(counted.scalar_one())

    def hold(self, file: ProvedFile, *, confirm: bool, rest_seconds: float, flags: Sequence[str]) -> None:
        """The file is held by these bytes; with `confirm` it is fetched again by somebody else at once."""
        held = self._connection.execute(
            statement("hold_proved"),
            {
                "node_id": self._node_id,
                "asset_id": file.asset_id,
                "sha256": self._proof.sha256,
                "detail": "",
                "flags": ["by-node", *flags],
                "rest_seconds": 0.0 if confirm else rest_seconds,
            },
        ).one_or_none()
        if held is None or held.late or held.verdict != "stored":
            return
        self._connection.execute(
            statement("add_testimony"),
            {
                "node_id": self._node_id,
                "asset_id": file.asset_id,
                "capture_id": held.id,
                "sha256": self._proof.sha256,
                "last_modified": self._proof.last_modified,
                "began_at": held.started_at,
                "wanted": confirm,
                "finding": "open",
            },
        )

    def judge(
        self, file: ProvedFile, *, verdict: str, reason: str, detail: str, after: dict[str, Any]
    ) -> None:
        """The bytes are not the file: say so, and move it on."""
        judged = {"verdict": verdict, "reason": reason, "detail": storable(detail)}
        about = {"node_id": self._node_id, "asset_id": file.asset_id, "sha256": self._proof.sha256}
        self._connection.execute(statement("record_judged"), {**judged, **about})
        rows = msgspec.json.encode([{"asset_id": file.asset_id, "reason": reason, **after}]).decode()
        self._connection.execute(statement("follow_reports"), {"rows": rows})

    def give_back(self, files: Sequence[ProvedFile]) -> None:
        """Somebody else may have these files at once."""
        waiting = {"asset_ids": [file.asset_id for file in files], "node_id": self._node_id}
        self._connection.execute(statement("give_back"), waiting)

    def doubt_our_copy(self, store: str, state: str) -> None:
        """Our own copy turned out to be `damaged` or `missing`."""
        doubted = {"digests": [self._proof.sha256], "store": store, "state": state}
        self._connection.execute(statement("doubt_store_copy"), doubted)


@contextmanager
def proof_ledger(
    catalog: Catalog, node_id: int, proof: ProofRow, files: Sequence[ProvedFile]
) -> Iterator[ProofLedger]:
    """One transaction about one proof and the files that wait for it; rolled back on any error."""
    with catalog.begin() as connection:
        state = connection.execute(statement("lock_proof"), {"proof_id": proof.id}).scalar_one()
        assets = sorted(file.asset_id for file in files)
        connection.execute(statement("lock_assets"), {"asset_ids": assets})
        yield ProofLedger(connection, node_id, proof, str(state))
