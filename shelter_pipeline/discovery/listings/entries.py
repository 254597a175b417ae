"""The entries of a listing, whoever wrote it, and what becomes of them: leads and a digest.

A listing is gone through once to know what it is. Its entries are held, being small, up to
a bound; one that is larger is gone through once more when its leads are read. So memory is
bounded, whatever the size of the page.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.discovery.classify import extension_of
from shelter_pipeline.discovery.labels import LONGEST_LABEL
from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.portals.encoding import mend_text

# Of one page: what is beyond is said, not listed.
MOST_ENTRIES = 1_000_000
_MOST_HELD = 100_000
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
    """What going through a listing once has shown. `read` goes through it once more."""

    read: Callable[[], Iterator[Entry]]
    passed_over: Counter[str]
    entries: int = 0
    directories: int = 0
    dated: int = 0
    sized: int = 0
    digest: bytes = b""
    held: list[Entry] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over, one note a reason."""
        return tuple(
            f"{why}: {count}" if count > 1 else why for why, count in sorted(self.passed_over.items())
        )

    def leads(self) -> Iterator[Lead]:
        """The leads of the listing, made as they are asked for."""
        if len(self.held) == self.entries:
            return leads_to(self.held)
        return leads_to(each_once(self.read(), Counter()))


def survey_of(read: Callable[[], Iterator[Entry]], passed_over: Counter[str]) -> Survey:
    """Go through a listing: its entries counted and digested, each once."""
    survey = Survey(read, passed_over)
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for entry in each_once(read(), passed_over):
        survey.entries += 1
        survey.directories += entry.is_directory
        survey.dated += entry.modified is not None
        survey.sized += entry.size is not None
        line = f"{entry.name}\0{entry.size}\0{entry.modified and entry.modified.timestamp()}\n"
        digest.update(line.encode(errors="surrogateescape"))
        if len(survey.held) < _MOST_HELD:
            survey.held.append(entry)
    survey.digest = digest.digest() if survey.entries else b""
    return survey


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
    shown = decoded.removesuffix("/")[:LONGEST_LABEL]
    return (
        shown if shown.isascii() and shown.isprintable() else _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", shown)
    )
