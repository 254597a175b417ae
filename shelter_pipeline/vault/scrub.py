"""Re-reading everything a store holds, because only bytes that were read again are known to be there.

Whatever stands in a blob's place and is not those bytes is moved to quarantine, whether
it has rotted, was cut, swapped, or is no regular file at all. Nothing is ever deleted,
and a pipe or a device is never opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.vault.manifest import parse_manifest
from shelter_pipeline.vault.parallel import in_order
from shelter_pipeline.vault.store import digest_named_by


class Scrubbed(Protocol):
    """What a scrub needs of a store."""

    def documents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the documents that begin with `prefix`, sorted by name."""

    def files_below(self, folder: str) -> Iterator[str]:
        """Locations of everything below a folder."""

    def strangers(self) -> Iterable[str]:
        """Names at the top of the store that are none of its own."""

    def read_again(self, location: str) -> tuple[str, int] | None:
        """Digest and size of the bytes that stand there; None if what stands there cannot be read as a file.

        Raises TransientError if the store itself is away.
        """

    def quarantine(self, location: str) -> str | None:
        """Move a thing out of the blobs without losing anything; returns where it stands now.

        None if there is nothing to be moved any more. Raises TransientError.
        """


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


def scrub(store: Scrubbed, *, threads: int = 1) -> ScrubReport:
    """Re-read every blob and compare it with its name, then with the manifests; quarantine what differs.

    The report does not depend on `threads`. Raises TransientError if the store goes away.
    """
    report = ScrubReport()
    unseen = _expected(store, report)

    def read(location: str) -> tuple[str, int] | None:
        return store.read_again(location) if digest_named_by(location) else None

    for location, found in in_order(read, sorted(store.files_below("blobs")), threads=threads):
        sha256 = digest_named_by(location)
        if sha256 is None:
            report.extra.append(location)
            continue
        listed = sha256 in unseen
        unseen.discard(sha256)
        if found is not None:
            report.bytes_read += found[1]
        if found is not None and found[0] == sha256:
            report.ok += 1
            report.unlisted += not listed
        else:
            _set_aside(store, location, report)
    report.missing.extend(sorted(unseen))
    report.extra.extend(sorted(store.strangers()))
    return report


def _set_aside(store: Scrubbed, location: str, report: ScrubReport) -> None:
    report.damaged.append(location)
    try:
        moved = store.quarantine(location)
    except TransientError:  # it stays where it is, and the next scrub finds it again
        return
    if moved is not None:
        report.quarantined.append(moved)


def _expected(store: Scrubbed, report: ScrubReport) -> set[str]:
    digests: set[str] = set()
    for name, data in store.documents("manifests/"):
        try:
            manifest = parse_manifest(name, data)
        except DamagedError:
            report.damaged.append(name)
            continue
        digests.update(manifest.held())
    return digests
