"""What the room needs of others, and what every driver promises.

A `Reader` gives the whole body of a URL, redirects followed, whatever the status; it
raises a `ShelterError` when no reply came at all. The fetching room's door is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from shelter_pipeline.domain.records import Page, Witness


class Head(Protocol):
    """The head of a reply; names are asked for without regard to case (RFC 9110 section 5.1)."""

    @property
    def status(self) -> int: ...

    def get(self, name: str, /) -> str | None: ...


class Reply(Protocol):
    """A whole reply, and the URL that gave it in the end."""

    @property
    def final_url(self) -> str: ...

    @property
    def head(self) -> Head: ...

    @property
    def body(self) -> bytes: ...


class Reader(Protocol):
    """Whoever may ask the internet for us."""

    def read(self, url: str, *, headers: Mapping[str, str] = ..., max_bytes: int | None = None) -> Reply: ...


class Portal(Protocol):
    """One catalogue, read page by page."""

    @property
    def kind(self) -> str: ...

    @property
    def url(self) -> str: ...

    def witness(self) -> Witness:
        """What the portal says of itself. Raises ShelterError when it cannot be asked."""
        ...

    def pages(self, cursor: str | None = None) -> Iterator[Page]:
        """Every record, page by page, from the start or from after the page that gave `cursor`.

        The last page, and only it, has no cursor. Raises ShelterError, between pages, when
        the portal cannot be read any further; what was given before stands.
        """
        ...
