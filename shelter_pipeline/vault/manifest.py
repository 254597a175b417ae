"""Manifests: what a store says of itself, so that the archive outlives the database.

A manifest is JSON Lines: the captures of one batch, and beside them what the catalog knew
of the batch, of its files, and of the datasets that list them (`manifest_lines` has the
words). Its name carries the first half of its own SHA-256, so a reader knows whether it has
rotted, and writing it twice changes nothing. Manifests of several runs of a batch repeat
one another's captures: a capture is the same if URL, begin and end are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.records import canonical_json, slugify
from shelter_pipeline.domain.verdicts import Verdict, holds_file
from shelter_pipeline.vault.store import BlobStore

FOLDER = "manifests/"
_DIGEST_LENGTH = 32
_CAPTURE = "capture"
# What a line of each kind must have; kinds that a later version writes are passed over.
_REQUIRED = {
    _CAPTURE: ("batch", "url", "verdict", "sha256", "size"),
    "batch": ("batch",),
    "asset": ("batch", "url", "state"),
    "dataset": ("batch", "portal", "identifier", "record"),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one batch left in a store, as plain JSON values.

    Every entry is a capture with `url`, `verdict`, `sha256` and `size`. `batch`, `assets`
    and `datasets` are what else was known; manifests of earlier versions have none of it.
    """

    name: str
    batch_key: str
    entries: tuple[Mapping[str, Any], ...]
    batch: Mapping[str, Any] | None = None
    assets: tuple[Mapping[str, Any], ...] = ()
    datasets: tuple[Mapping[str, Any], ...] = ()

    def held(self) -> Iterator[str]:
        """Digests of the blobs that the batch left in the store or found there."""
        for entry in self.entries:
            if entry["sha256"] and holds_file(Verdict(entry["verdict"])):
                yield entry["sha256"]


def write_manifest(
    store: BlobStore, batch_key: str, entries: Iterable[Mapping[str, Any]], *, year: int | None = None
) -> str:
    """Store the manifest of a batch; returns its name. The same entries again give the same name.

    An entry is a capture unless its `line` says what else it is. Raises ValueError for one
    that lacks what its kind must have.
    """
    data = b"".join(canonical_json(_line(batch_key, entry)) + b"\n" for entry in entries)
    name = f"{FOLDER}{year or datetime.now(UTC).year}/{slugify(batch_key)}.{_digest(data)}.jsonl"
    store.put_document(name, data)
    return name


def read_manifests(store: BlobStore, batch_key: str | None = None) -> Iterator[Manifest]:
    """Every manifest, by name; with `batch_key` only those of that batch, the others unread.

    Raises DamagedError naming the manifest that is not what its name says.
    """
    for name in manifest_names(store, batch_key):
        data = store.document(name)
        if data is not None:
            manifest = parse_manifest(name, data)
            if batch_key in (None, manifest.batch_key):
                yield manifest


def manifest_names(store: BlobStore, batch_key: str | None = None) -> Iterator[str]:
    """Names of the manifests; with `batch_key` only those that can be of that batch."""
    beginning = f"{slugify(batch_key)}." if batch_key is not None else ""
    for name in store.document_names(FOLDER):
        if name.rpartition("/")[2].startswith(beginning) and name.endswith(".jsonl"):
            yield name


def parse_manifest(name: str, data: bytes) -> Manifest:
    """The manifest in `data`. Raises DamagedError if it is not what `name` says or cannot be read."""
    if not name.endswith(f".{_digest(data)}.jsonl"):
        raise DamagedError(f"the manifest {name} is not the one that was written", reason="mismatch")
    try:
        lines = [_checked(_parsed(line)) for line in data.splitlines()]
    except ValueError as error:
        raise DamagedError(f"the manifest {name} cannot be read: {error}", reason="mismatch") from error
    found: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in _REQUIRED}
    for line in lines:
        found.get(_kind_of(line), []).append(line)
    return Manifest(
        name,
        str(lines[0]["batch"]) if lines else "",
        tuple(found[_CAPTURE]),
        next(iter(found["batch"]), None),
        tuple(found["asset"]),
        tuple(found["dataset"]),
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGEST_LENGTH]


def _parsed(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):  # half a surrogate pair, which canonical JSON escapes
        return json.loads(line)


def _line(batch_key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**_checked({"batch": batch_key, **entry})}


def _kind_of(line: Mapping[str, Any]) -> str:
    return str(line.get("line", _CAPTURE))


def _checked(line: Any) -> Mapping[str, Any]:
    if not isinstance(line, dict):
        raise ValueError("an entry is no object")  # noqa: TRY004 - the caller handles what a file says
    missing = [name for name in _REQUIRED.get(_kind_of(line), ("batch",)) if name not in line]
    if missing:
        raise ValueError(f"an entry has no {', '.join(missing)}")
    return line
