"""The entries of a listing, whoever wrote it, and what becomes of them: leads and a digest.

A listing is gone through twice: once to know what it is, and once more when its leads are
read. So no more than one entry is held at a time, whatever the page's size.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.discovery.classify import extension_of
from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.portals.encoding import mend_text

# Of one page: what is beyond is said, not listed.
MOST_ENTRIES = 1_000_000
_LONGEST_LABEL = 200
_DIGEST_BYTES = 16
# Control characters, and those that change how the text around them is shown.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Entry(NamedTuple):
    """One entry. `name` is its path below the listing's directory as it stands in the URL.

    `size` is in bytes and an estimate; `reader` names who reads a directory that does not tell itself.
    """

    url: str
    name: str
    is_directory: bool
    size: int | None = None
    modified: datetime | None = None
    reader: str = ""


@dataclass(slots=True)
class Survey:
    """What going through a listing once has shown."""

    entries: int = 0
    directories: int = 0
    dated: int = 0
    sized: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    digest: bytes = b""

    def of(self, entries: Iterable[Entry]) -> Survey:
        """This survey, with all entries counted and digested."""
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for entry in entries:
            self.entries += 1
            self.directories += entry.is_directory
            self.dated += entry.modified is not None
            self.sized += entry.size is not None
            line = f"{entry.name}\0{entry.size}\0{entry.modified and entry.modified.timestamp()}\n"
            digest.update(line.encode(errors="surrogateescape"))
        self.digest = digest.digest() if self.entries else b""
        return self

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over, one note a reason."""
        return tuple(
            f"{why}: {count}" if count > 1 else why for why, count in sorted(self.passed_over.items())
        )


def leads_to(entries: Iterable[Entry]) -> Iterator[Lead]:
    """The leads of a listing, made as they are asked for. Everything that is no directory is a file."""
    for entry in entries:
        label = label_of(entry.name)
        if entry.is_directory:
            yield Lead(
                entry.url, To.DIRECTORY, "listing", label, modified=entry.modified, reader=entry.reader
            )
            continue
        kind = kind_of_extension(extension_of(entry.name) or "")
        yield Lead(
            entry.url,
            To.FILE,
            "listing",
            label,
            asset_kind=kind.slug if kind else None,
            size=entry.size,
            modified=entry.modified,
        )


def each_once(entries: Iterable[Entry], passed_over: Counter[str]) -> Iterator[Entry]:
    """The entries without those whose URL came before, and no more than `MOST_ENTRIES` of them."""
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            passed_over["listed twice"] += 1
            continue
        if len(seen) >= MOST_ENTRIES:
            passed_over[f"not read on after {MOST_ENTRIES} entries"] = 1
            return
        seen.add(entry.name)
        yield entry


def label_of(name: str) -> str:
    """A name for people: decoded, bounded, and without characters that hide or turn others."""
    decoded = name if "%" not in name else mend_text(unquote(name, errors="surrogateescape"))
    shown = decoded.removesuffix("/")[:_LONGEST_LABEL]
    return (
        shown if shown.isascii() and shown.isprintable() else _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", shown)
    )
