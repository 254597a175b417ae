"""Pages as a reader gets them: a real head, the bytes, and the URL that answered."""

from __future__ import annotations

from dataclasses import dataclass

from shelter_pipeline.discovery.landing import read_landing
from shelter_pipeline.discovery.leads import Lead, Reading
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.framing import Head

PAGE = "https://www.example.gov/data/rivers"


@dataclass(frozen=True)
class PageReply:
    """A whole reply."""

    final_url: str
    head: Head
    body: bytes


def page_reply(
    body: bytes | str,
    url: str = PAGE,
    *headers: tuple[str, str],
    content_type: str = "text/html; charset=utf-8",
    status: int = 200,
) -> PageReply:
    """The reply of a page at `url`; `headers` come after the content type."""
    written = body.encode() if isinstance(body, str) else body
    return PageReply(url, Head(status, "1.1", (("Content-Type", content_type), *headers)), written)


def read_page(
    body: bytes | str, url: str = PAGE, *headers: tuple[str, str], asked: str | None = None
) -> Reading:
    """What the page at `url` says when `asked` (itself, if not given) was asked for."""
    return read_landing(page_reply(body, url, *headers), parse_url(asked or url))


def leads_of(body: bytes | str, url: str = PAGE, *headers: tuple[str, str]) -> list[Lead]:
    return list(read_page(body, url, *headers).leads)


def told(body: bytes | str, url: str = PAGE, *headers: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Why, to what, and where to: the short form of the leads."""
    return [(lead.why, lead.to.value, lead.url) for lead in leads_of(body, url, *headers)]
