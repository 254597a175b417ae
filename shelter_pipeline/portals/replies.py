"""Judging a reply: whether it holds the JSON that was asked for, and if not, whether to ask again.

A 200 is believed only if it holds JSON; a web page in its place is read for what it says
of itself (maintenance, shutdown, a firewall). Pure functions of status, head and body.
"""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.fetching.replies import retry_after_seconds
from shelter_pipeline.portals.encoding import decode, mend_text
from shelter_pipeline.portals.protocol import Head

_REASONS = {
    401: "login-required",
    404: "not-found",
    407: "login-required",
    410: "gone",
    451: "legal",
}
_BUSY = frozenset({202, 408, 425, 429, 503})
_FORBIDDEN = 403
# CKAN answers 409 when its search index could not be asked.
_SEARCH_FAILED = 409
_OK = 200
_SERVER_ERRORS = 500

_WORDS_OF_A_PAUSE = re.compile(
    r"maintenance|shut ?down|unavailable|temporar|try again|unusual activity|rejected|denied|forbidden"
    r"|captcha|challenge|checking your browser|overload|too many|site down|error",
    re.IGNORECASE,
)
_HEADING = re.compile(rb"<(h1|title)\b[^<>]{0,300}>([^<]{1,300})", re.IGNORECASE)
# Atomic, so that a page of ten thousand comments is looked through once.
_PROLOGUE = re.compile(rb"(?>(?:\s|<\?xml[^>]*>|<!--.*?-->)*)", re.DOTALL)
_MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body|title|script|h1|article|div|p)\b", re.IGNORECASE)
_KEY_REFUSED = "API_KEY_"  # how api.data.gov's codes for missing, unknown and unverified keys begin
_SHOWN = 160
_SNIFFED = 2000
_ENOUGH_HEADING = 20_000


def looks_like_html(body: bytes, content_type: str | None = None) -> bool:
    """Whether a body is a web page: by its first bytes, else by what the server calls it."""
    start = body[:_SNIFFED].removeprefix(b"\xef\xbb\xbf")
    prologue = _PROLOGUE.match(start)
    if _MARKUP.match(start, prologue.end() if prologue else 0):
        return True
    return start.lstrip().startswith(b"<") and "html" in (content_type or "").lower()


def status_problem(status: int) -> tuple[type[ShelterError], str] | None:
    """The error and the reason slug that a status alone calls for; None for one that carries an answer."""
    if status in _REASONS:
        return PermanentError, _REASONS[status]
    if status == _FORBIDDEN:
        return PermanentError, "forbidden"
    if status in _BUSY:
        return TransientError, "processing" if status == 202 else "rate-limited"  # noqa: PLR2004
    if status >= _SERVER_ERRORS or status == _SEARCH_FAILED:
        return TransientError, "server-error"
    return None if _OK <= status < 300 else (PermanentError, "http-status")  # noqa: PLR2004


def check_reply(head: Head, body: bytes, *, expected: str = "JSON") -> None:
    """Return if the reply may hold what is expected; raise Transient- or PermanentError saying what came instead."""
    is_page = looks_like_html(body, head.get("content-type"))
    problem = status_problem(head.status)
    if problem is None:
        if is_page:
            raise _page_instead(body, expected)
        if not body.strip():
            raise TransientError("an empty answer", reason="empty")
        return
    kind, reason = problem
    if head.status == _FORBIDDEN and is_page:
        # A firewall's page, not the application's word: it often lets the next request pass.
        kind, reason = TransientError, "rate-limited"
    said = heading_of(body) if is_page else message_of(body)
    text = f"status {head.status}" + (f" ({said})" if said else "")
    if said.startswith(_KEY_REFUSED):
        text += "; the key in SHELTER_DATAGOV_API_KEY, or in the portal's own headers, is not accepted"
    if kind is TransientError:
        raise TransientError(text, reason=reason, retry_after_seconds=retry_after(head))
    raise kind(text, reason=reason)


def _page_instead(body: bytes, expected: str) -> ShelterError:
    said = heading_of(body)
    text = f"a web page instead of {expected}" + (f" ({said})" if said else "")
    if _WORDS_OF_A_PAUSE.search(said) or _WORDS_OF_A_PAUSE.search(_plain(body)):
        return TransientError(text, reason="html-instead")
    return PermanentError(text, reason="html-instead")


def _plain(body: bytes) -> str:
    """The words of a short page: long pages are not notices."""
    if len(body) > _ENOUGH_HEADING:
        return ""
    return re.sub(r"<style.*?</style>|<[^>]*>", " ", decode(body)[0], flags=re.DOTALL)


def heading_of(body: bytes) -> str:
    """What a page calls itself: its first h1, else its title; empty when it has neither."""
    found = {match[1].lower(): match[2] for match in _HEADING.finditer(body[:_ENOUGH_HEADING])}
    text = found.get(b"h1") or found.get(b"title") or b""
    return _one_line(html.unescape(text.decode("utf-8", "replace")))


def message_of(body: bytes) -> str:
    """The message inside an API's error body, whatever its envelope; empty when there is none."""
    try:
        value = json.loads(decode(body[:_ENOUGH_HEADING])[0])
    except (ValueError, RecursionError):
        return ""
    return _one_line(mend_text(message_in(value)))


def message_in(value: Json) -> str:
    """CKAN, data.gov and api.data.gov each nest their message elsewhere; a bare string is one too."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    inner = value.get("error")
    if isinstance(inner, dict):
        parts = [inner.get("__type") or inner.get("code"), inner.get("message")]
        return ": ".join(part for part in parts if isinstance(part, str) and part)
    texts = [part for part in (inner, value.get("message")) if isinstance(part, str)]
    return texts[0] if texts else ""


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SHOWN]


def retry_after(head: Head) -> float | None:
    """Seconds from now that a `Retry-After` field asks for (RFC 9110 section 10.2.3); None if it cannot be read."""
    return retry_after_seconds(head.get("retry-after"), datetime.now(UTC))
