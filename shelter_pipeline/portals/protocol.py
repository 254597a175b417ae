"""What the room needs of others, and what every driver promises.

A `Reader` gives the whole body of a URL, redirects followed, whatever the status; it
raises a `ShelterError` when no reply came at all. The fetching room's door is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from shelter_pipeline.domain.records import Json, Listing, Page, Witness


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

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = ...,
        max_bytes: int | None = None,
    ) -> Reply:
        """As `read`, but the body goes to `sink` piece by piece, unfolded, and the reply holds only its beginning."""
        ...


class Portal(Protocol):
    """One catalogue, read page by page.

    A driver keeps no state between calls but what saves requests; every method may be
    called again. Whatever it raises is a ShelterError whose message names the URL.
    """

    @property
    def kind(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def reads_changes(self) -> bool:
        """Whether `pages(since=...)` can give only what changed."""
        ...

    def witnesses(self) -> tuple[Witness, ...]:
        """What the portal says of itself, the witness that counts best first; one that does not answer is left out.

        Raises ShelterError when none of them answered, or nobody is there at all.
        """
        ...

    def pages(self, cursor: str | None = None, *, since: datetime | None = None) -> Iterator[Page]:
        """Every record, page by page, from the start or from after the page that gave `cursor`.

        With `since`, only the records whose last change the portal dates at or after it,
        for drivers that read changes. The last page, and only it, has no cursor. Raises
        ShelterError, between pages, when the portal cannot be read any further; what was
        given before stands.
        """
        ...

    def identities(self) -> Iterator[Listing]:
        """The identities of all datasets from a list that is made apart from `pages`; nothing if there is none.

        Raises ShelterError when the list breaks off.
        """
        ...

    def look_up(self, identifier: str) -> Page | None:
        """The one dataset of this identity, asked for by name; None when the portal says that there is none.

        Raises ShelterError when the portal cannot say, or this kind of portal cannot be asked.
        """
        ...

    def source_record_url(self, raw: dict[str, Json]) -> str | None:
        """Where the record stands as its publisher wrote it; None where the portal's own is that record."""
        ...
