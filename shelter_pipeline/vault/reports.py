"""Reports kept in a store: `reports/<moment>/`, each there from the moment its index is, and never replaced.

The index is written last and lists every file with its size and SHA-256, so a report that was being written when its
writer died is no report; the next one has another moment and another name. Nothing removes any: they are history.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.vault.store import BlobStore

FORMAT = "shelter-report-index/1"
_FOLDER = "reports"
_INDEX = "index.json"
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z\Z", re.ASCII)
_PIECE_BYTES = 256 * 1024


class KeptFile(msgspec.Struct, frozen=True):
    """One file of a kept report."""

    name: str
    bytes: int
    sha256: str


class KeptReport(msgspec.Struct, frozen=True):
    """A report that is whole in the store: the moment it tells of, what it says in short, its files."""

    format: str
    name: str
    counted_at: datetime
    summary: str
    totals: dict[str, int]
    files: tuple[KeptFile, ...]

    def file(self, name: str) -> KeptFile | None:
        """The file of this name."""
        return next((file for file in self.files if file.name == name), None)


def report_name(counted_at: datetime) -> str:
    """What a report of this moment is called in a store."""
    return f"{counted_at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"


def keep_report(store: BlobStore, report: KeptReport, folder: Path) -> None:
    """Store the files of this report, which stand in the folder, and then its index.

    Raises DamagedError `mismatch` if there is another report of this name, which stays, and TransientError of the
    medium, after which there is no report yet and it may be done again.
    """
    for file in report.files:
        store.put_document_file(f"{_FOLDER}/{report.name}/{file.name}", folder / file.name)
    store.put_document(f"{_FOLDER}/{report.name}/{_INDEX}", msgspec.json.encode(report))


def kept_reports(store: BlobStore) -> list[KeptReport]:
    """The reports of the store, newest first; one whose index cannot be read is passed over."""
    names = (name.split("/") for name in store.document_names(f"{_FOLDER}/"))
    moments = sorted((parts[1] for parts in names if len(parts) == 3 and parts[2] == _INDEX), reverse=True)  # noqa: PLR2004
    return [report for moment in moments if (report := find_report(store, moment)) is not None]


def find_report(store: BlobStore, name: str) -> KeptReport | None:
    """The report of this name; None if there is none, or none that can be read."""
    if not _NAME.match(name):
        return None
    data = store.document(f"{_FOLDER}/{name}/{_INDEX}")
    try:
        found = None if data is None else msgspec.json.decode(data, type=KeptReport)
    except msgspec.DecodeError:
        return None
    return found if found is not None and (found.format, found.name) == (FORMAT, name) else None


def open_report_file(store: BlobStore, report: KeptReport, file: KeptFile) -> BinaryIO:
    """A file of a report for reading. Raises FileNotFoundError if the store has lost it."""
    return store.open_document(f"{_FOLDER}/{report.name}/{file.name}")


def whole_pieces(body: BinaryIO, file: KeptFile) -> Iterator[bytes]:
    """The bytes of a file in pieces, the last of them only once all are known to be what was written.

    The body is closed at the end. Raises DamagedError `mismatch` for bytes that have rotted.
    """
    digest, kept = hashlib.sha256(), b""
    with body:
        while piece := body.read(_PIECE_BYTES):
            if kept:
                yield kept
            digest.update(piece)
            kept = piece
    if digest.hexdigest() != file.sha256:
        raise DamagedError(f"the store holds other bytes in the place of {file.name}", reason="mismatch")
    yield kept
