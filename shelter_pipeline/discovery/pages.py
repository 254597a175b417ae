"""The pages of one exploration: what is still to be read, what came of each, and what was left unread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shelter_pipeline.discovery.leads import NO_HEADERS

MOST_LABEL = 200


class PageState(StrEnum):
    """How far a page is."""

    WAITING = "waiting"  # to be read, perhaps after a rest
    READ = "read"
    FAILED = "failed"  # not to be asked for again in this exploration


@dataclass(slots=True, eq=False)
class Page:
    """One page of an exploration, from when something led to it.

    `depth` counts the levels of directories below the start, `hops` the pages between it and
    the start. Of a page that was read `reason` is the outcome it settles, if it does; of one
    that failed it says why. `left` counts what it led to and was not followed, by reason.
    """

    url: str
    parent: Page | None = None
    depth: int = 0
    hops: int = 0
    why: str = "resource"
    label: str = ""
    reader: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    id: int | None = None  # in the catalog, once it is kept
    state: PageState = PageState.WAITING
    what: str = ""
    reason: str = ""
    detail: str = ""
    files: int = 0
    data_files: int = 0  # of them, those that are not the description of a service
    known_bytes: int = 0  # of its files, as far as known
    left: Counter[str] = field(default_factory=Counter)
    digest: bytes = b""
    attempts: int = 0
    rest: timedelta = timedelta(0)  # before it is asked for again

    @property
    def path(self) -> tuple[str, ...]:
        """The pages that were followed to what this one leads to, itself the last."""
        above: list[str] = []
        page: Page | None = self
        while page is not None:
            above.append(page.url)
            page = page.parent
        return tuple(reversed(above))

    def repeats_one_above(self) -> bool:
        """Whether it lists just what a page above it lists: a directory that leads back into itself."""
        above = self.parent
        while above is not None:
            if self.digest and above.digest == self.digest:
                return True
            above = above.parent
        return False


@dataclass(frozen=True, slots=True)
class Budget:
    """What one place may cost in all: pages, files, bytes as far as told, and how far from the start."""

    max_pages: int
    max_files: int
    max_bytes: int
    max_depth: int
    max_hops: int
    max_page_bytes: int


@dataclass(slots=True, weakref_slot=True)
class Spent:
    """What a dataset has spent of its budget; places of one dataset that are read at once share the sum."""

    pages: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, pages: int, files: int, bytes: int) -> None:
        """More, or less again."""
        self.pages += pages
        self.files += files
        self.bytes += bytes


# Why something was not followed, in words; the number of them stands before.
LEFT_IN_WORDS = {
    "pages": "pages beyond the budget of pages",
    "files": "files beyond the budget of files",
    "bytes": "files beyond the budget of bytes",
    "too-deep": "directories that lie too deep",
    "too-far": "pages that are too many links away",
    "trap": "links that look like a trap",
    "bad-url": "links that are no URLs",
    "unreadable": "pages whose rest could not be read",
}
