"""Re-reading everything a store holds, because only bytes that were read again are known to be there.

Whatever stands in a blob's place and is not those bytes is moved to quarantine, whether
it has rotted, was cut, swapped, or is no regular file at all. Nothing is ever deleted,
and a pipe or a device is never opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.vault.local import FOLDERS, LocalStore
from shelter_pipeline.vault.manifest import parse_manifest

_READ_BYTES = 1024 * 1024


@dataclass(slots=True)
class ScrubReport:
    """What a scrub found: digests that are ok, and locations or digests of everything that is not."""

    ok: int = 0
    bytes_read: int = 0
    damaged: list[str] = field(default_factory=list)  # locations of blobs and manifests
    missing: list[str] = field(default_factory=list)  # digests that a manifest promises
    extra: list[str] = field(default_factory=list)  # locations of things that are no blobs
    quarantined: list[str] = field(default_factory=list)  # where damaged blobs stand now
    unlisted: int = 0  # blobs that are ok and in no manifest: their batch has not ended yet


def scrub(store: LocalStore) -> ScrubReport:
    """Re-read every blob and compare it with its name, then with the manifests; quarantine what differs."""
    report = ScrubReport()
    expected = _expected(store, report)
    found: set[str] = set()
    for location in sorted(store.files_below("blobs")):
        sha256 = store.digest_named_by(location)
        if sha256 is None:
            report.extra.append(location)
            continue
        found.add(sha256)
        if _is_intact(store, location, sha256, report):
            report.ok += 1
            report.unlisted += sha256 not in expected
        else:
            report.damaged.append(location)
            report.quarantined.append(store.quarantine(location))
    report.missing.extend(sorted(expected - found))
    report.extra.extend(sorted(path.name for path in store.root.iterdir() if path.name not in FOLDERS))
    return report


def _expected(store: LocalStore, report: ScrubReport) -> set[str]:
    digests: set[str] = set()
    for name, data in store.documents("manifests/"):
        try:
            manifest = parse_manifest(name, data)
        except DamagedError:
            report.damaged.append(name)
            continue
        digests.update(manifest.held())
    return digests


def _is_intact(store: LocalStore, location: str, sha256: str, report: ScrubReport) -> bool:
    try:
        # Neither following a link nor waiting for the other end of a pipe.
        descriptor = os.open(
            store.root / location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        actual, size = _hash(descriptor)
    except OSError:  # the medium itself cannot read it any more
        return False
    finally:
        os.close(descriptor)
    report.bytes_read += size
    return actual == sha256


def _hash(descriptor: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while data := os.read(descriptor, _READ_BYTES):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size
