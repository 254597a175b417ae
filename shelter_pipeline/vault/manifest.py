"""Manifests: what a store says of itself, so that the archive outlives the database.

A manifest is JSON Lines, one asset a line: where it came from, which datasets list it,
how its capture went and which blob it became. Its name carries the first half of its own
SHA-256, so a reader knows whether it has rotted, and writing it twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.records import canonical_json, slugify
from shelter_pipeline.domain.verdicts import Verdict, holds_file
from shelter_pipeline.vault.store import BlobStore

_DIGEST_LENGTH = 32
_REQUIRED = ("batch", "url", "verdict", "sha256", "size")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one batch left in a store: an entry an asset, as plain JSON values.

    Every entry has `url`, `verdict`, `sha256` and `size`; the rest is what the batch knew
    of the capture and of the datasets that list the asset.
    """

    name: str
    batch_key: str
    entries: tuple[Mapping[str, Any], ...]

    def held(self) -> Iterator[str]:
        """Digests of the blobs that the batch left in the store or found there."""
        for entry in self.entries:
            if entry["sha256"] and holds_file(Verdict(entry["verdict"])):
                yield entry["sha256"]


def write_manifest(
    store: BlobStore, batch_key: str, entries: Iterable[Mapping[str, Any]], *, year: int | None = None
) -> str:
    """Store the manifest of a batch; returns its name. The same entries again give the same name.

    Raises ValueError for an entry without `url`, `verdict`, `sha256` or `size`.
    """
    data = b"".join(canonical_json(_line(batch_key, entry)) + b"\n" for entry in entries)
    name = f"manifests/{year or datetime.now(UTC).year}/{slugify(batch_key)}.{_digest(data)}.jsonl"
    store.put_document(name, data)
    return name


def read_manifests(store: BlobStore, batch_key: str | None = None) -> Iterator[Manifest]:
    """Every manifest, by name; with `batch_key` only those of that batch, the others unread.

    Raises DamagedError naming the manifest that is not what its name says.
    """
    for name in manifest_names(store, batch_key):
        for found, data in store.documents(name):
            manifest = parse_manifest(found, data)
            if batch_key in (None, manifest.batch_key):
                yield manifest


def manifest_names(store: BlobStore, batch_key: str | None = None) -> Iterator[str]:
    """Names of the manifests; with `batch_key` only those that can be of that batch."""
    beginning = f"{slugify(batch_key)}." if batch_key is not None else ""
    for name in store.document_names("manifests/"):
        if name.rpartition("/")[2].startswith(beginning) and name.endswith(".jsonl"):
            yield name


def parse_manifest(name: str, data: bytes) -> Manifest:
    """The manifest in `data`. Raises DamagedError if it is not what `name` says or cannot be read."""
    if name.rpartition("/")[2].split(".")[-2] != _digest(data):
        raise DamagedError(f"the manifest {name} is not the one that was written", reason="mismatch")
    try:
        entries = tuple(_checked(json.loads(line)) for line in data.splitlines())
    except ValueError as error:
        raise DamagedError(f"the manifest {name} cannot be read: {error}", reason="mismatch") from error
    return Manifest(name, str(entries[0]["batch"]) if entries else "", entries)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGEST_LENGTH]


def _line(batch_key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**_checked({"batch": batch_key, **entry})}


def _checked(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [name for name in _REQUIRED if name not in entry]
    if missing:
        raise ValueError(f"an entry has no {', '.join(missing)}")
    return entry
