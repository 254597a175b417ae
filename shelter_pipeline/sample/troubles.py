"""How a portal misbehaves for a while: errors, pages instead of data, limits; told in advance, then over.

The replies are those of catalog.data.gov's own proxy and of api.data.gov's gateway:
pages in HTML with the status of the trouble, a limit with the headers that say so.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from shelter_pipeline.sample.pages import error_page
from shelter_pipeline.sample.replies import Reply, Request, html_reply, reply

# What is the portal's own, and no file or page of a publisher.
PORTAL_PATHS = ("/search", "/api/", "/sitemap", "/harvest_record/", "/data.json")


class Trouble(StrEnum):
    """What comes instead of an answer."""

    UNAVAILABLE = "unavailable"  # 503 in HTML, with Retry-After
    ERROR = "error"  # 500 in HTML
    HTML = "html"  # 200 and a web page where JSON belongs
    RATE_LIMITED = "rate-limited"  # 429 as the gateway says it
    BLOCKED = "blocked"  # 403 in HTML, as a firewall says it
    CHALLENGE = "challenge"  # 202 without a body, as a firewall that wants a browser


@dataclass(slots=True)
class _Spell:
    trouble: Trouble
    after: int
    left: int
    paths: tuple[str, ...]
    retry_after_seconds: int

    def meets(self, path: str) -> bool:
        """Whether a request for this path meets the trouble; asking counts it."""
        if not path.startswith(self.paths):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class Troubles:
    """The troubles still to come, in the order they were announced; safe to ask from many threads."""

    _spells: list[_Spell] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def announce(
        self,
        trouble: Trouble,
        *,
        requests: int,
        after: int = 0,
        paths: tuple[str, ...] = PORTAL_PATHS,
        retry_after_seconds: int = 1,
    ) -> None:
        """`requests` requests for paths that begin with one of `paths` get this instead, once `after` were answered."""
        with self._lock:
            self._spells.append(_Spell(trouble, after, requests, paths, retry_after_seconds))

    def end(self) -> None:
        """All is well from now on."""
        with self._lock:
            self._spells.clear()

    def answer(self, request: Request) -> Reply | None:
        """The trouble this request meets; None when it meets none."""
        with self._lock:
            spell = next((one for one in self._spells if one.meets(request.path)), None)
            self._spells = [one for one in self._spells if one.left > 0]
        return _reply(spell.trouble, spell.retry_after_seconds) if spell is not None else None


def _reply(trouble: Trouble, retry_after_seconds: int) -> Reply:
    later = str(retry_after_seconds)
    if trouble is Trouble.RATE_LIMITED:
        return reply(
            429,
            "application/json",
            b'{"error":{"code":"OVER_RATE_LIMIT","message":"You have exceeded your rate limit."}}',
            X_RateLimit_Limit="1000",
            X_RateLimit_Remaining="0",
            Retry_After=later,
        )
    if trouble is Trouble.CHALLENGE:
        return reply(202, "text/html; charset=utf-8", b"", X_Amzn_Waf_Action="challenge")
    if trouble is Trouble.UNAVAILABLE:
        page = error_page(503, "The catalog is undergoing maintenance").encode()
        return reply(503, "text/html; charset=utf-8", page, Retry_After=later)
    status, message = {
        Trouble.ERROR: (500, "Web server unavailable"),
        Trouble.HTML: (200, "Due to a lapse in funding this website is not updated"),
        Trouble.BLOCKED: (403, "Request rejected"),
    }[trouble]
    return html_reply(error_page(status, message), status)
