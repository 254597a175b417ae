"""What a file weighs, of which kind it is, and how its version is named, without fetching it.

HEAD is asked first. Where its answer is a refusal, nothing at all, or one that cannot be
true of a file, the first byte is asked for by GET (RFC 9110 14.2), and that answer counts:
a download would get the same. The reply is let go as soon as its head is read, so a server
that knows no ranges and begins to send ten gigabytes is heard for what is on its way by then.

Files of FTP servers are asked for in their own way (`ftp_probe`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shelter_pipeline.discovery.disposition import file_name_of
from shelter_pipeline.discovery.ftp_probe import probe_ftp
from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.probing import LARGEST_SIZE, OK, Probe
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.capture import shown
from shelter_pipeline.fetching.exchange import Trace, Wish, exchange
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.passage import Passage
from shelter_pipeline.fetching.replies import content_range, error_of_status, media_type_of
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Steps

_FIRST_BYTE = {"Range": "bytes=0-0"}
# A probe is worth less time than a download.
_SECONDS, _HEAD_SECONDS = 60.0, 20.0
# Statuses of HEAD that a GET often contradicts. So it does 5xx, but for those that ask us to come back later.
_HEAD_DOUBTED = frozenset({204, 205, 206, 400, 403, 404, 405, 406, 410})
_PARTIAL, _UNSATISFIABLE, _SERVER_ERRORS = 206, 416, 500
# What a server does to a HEAD that it cannot answer.
_HEAD_UNHEARD = frozenset({"connection-lost", "head-invalid", "head-too-large", "too-slow"})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_LONGEST_VALIDATOR = 1024  # characters


class _HeadWasReadError(ShelterError):
    """The head is all that was wanted of a GET; not a failure."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One request's end: the final head, or the error there was instead."""

    method: str
    head: Head | None
    error: ShelterError | None = None


def probe(
    passage: Passage,
    limits: Limits,
    url: str,
    *,
    expects_page: bool = False,
    robots: RobotsBook | None = None,
) -> Steps[Probe]:
    """Ask for the head of `url` in one or two requests; how it ended is the probe's `reason`.

    HTML is taken for an error page in place of the file unless the URL `expects_page`. With
    `robots` each host on the way is asked for its robots.txt first, which is obeyed. Raises
    no ShelterError.
    """
    limits = replace(
        limits,
        head_seconds=min(limits.head_seconds, _HEAD_SECONDS),
        total_seconds=min(limits.total_seconds, _SECONDS),
    )
    trace = Trace()
    try:
        parsed = parse_url(url)
        if parsed.scheme == "ftp":
            found = yield from probe_ftp(passage, limits, parsed, trace, robots=robots)
        else:
            answer = yield from _ask("HEAD", passage, limits, url, trace, robots)
            if trace.requests and _is_doubtful(answer, expects_page=expects_page):
                second = yield from _ask("GET", passage, limits, url, trace, robots)
                answer = _better(answer, second)
            found = _told(url, answer, trace, expects_page=expects_page)
    except ShelterError as error:
        found = replace(failed_probe(url, error), status=trace.head.status if trace.head else None)
    return replace(found, final_url=trace.final_url or url, requests=trace.requests)


def failed_probe(url: str, error: ShelterError) -> Probe:
    """The probe of a URL that could not be asked for, for this reason."""
    later = error.retry_after_seconds if isinstance(error, TransientError) else None
    return Probe(url, url, error.reason, datetime.now(UTC), str(error), retry_after_seconds=later)


def _ask(
    method: str, passage: Passage, limits: Limits, url: str, trace: Trace, robots: RobotsBook | None
) -> Steps[_Answer]:
    def enough(_head: Head) -> None:
        if method == "GET":
            raise _HeadWasReadError("the head is all that was wanted")

    wish = Wish(
        url,
        on_head=enough,
        sink=lambda _data: None,
        method=method,
        headers=_FIRST_BYTE if method == "GET" else {},
    )
    try:
        yield from exchange(passage, wish, limits, trace, robots=robots)
    except _HeadWasReadError:
        pass
    except ShelterError as error:
        return _Answer(method, trace.head, error)
    return _Answer(method, trace.head)


def _is_doubtful(answer: _Answer, *, expects_page: bool) -> bool:
    """Whether a GET may say otherwise, or more."""
    if answer.error is not None:
        return answer.error.reason in _HEAD_UNHEARD
    head = answer.head
    assert head is not None  # noqa: S101 - an answer is a head or an error
    if head.status in _HEAD_DOUBTED:
        return True
    if head.status >= _SERVER_ERRORS:
        verdict = error_of_status(head, datetime.now(UTC))
        return not (isinstance(verdict, TransientError) and verdict.reason == "rate-limited")
    if error_of_status(head, datetime.now(UTC)) is not None:
        return False
    return not _length_of(head) or (not expects_page and media_type_of(head) in _PAGES)


def _better(first: _Answer, second: _Answer) -> _Answer:
    """The GET's, but for a range that cannot be had of a file that HEAD has seen."""
    refused = second.head is not None and second.head.status == _UNSATISFIABLE
    seen = first.head is not None and error_of_status(first.head, datetime.now(UTC)) is None
    return first if refused and seen and _total_of_refusal(second.head) is None else second


def _told(url: str, answer: _Answer, trace: Trace, *, expects_page: bool) -> Probe:
    """What the answer says of the file."""
    if answer.error is not None:
        raise answer.error
    head = answer.head
    assert head is not None  # noqa: S101 - an answer is a head or an error
    reason, detail = OK, ""
    part = head.status == _PARTIAL and answer.method == "GET"
    empty = _total_of_refusal(head) == 0
    error = None if part or empty else error_of_status(head, datetime.now(UTC))
    size = _size_of(head, part=part, empty=empty) if error is None else None
    media_type = media_type_of(head)
    if error is not None:
        reason, detail = error.reason, str(error)
    elif size == 0:
        reason, detail = "empty", "the server says that the file has no bytes"
    elif media_type in _PAGES and not expects_page:
        reason, detail, size = "html-instead", f"the server says that this is {media_type}", None
    return Probe(
        url,
        trace.final_url,
        reason,
        datetime.now(UTC),
        detail,
        status=head.status,
        size=size,
        media_type=_kept(media_type),
        etag=_kept(head.get("etag")),
        last_modified=_kept(head.get("last-modified")),
        accepts_ranges=_accepts_ranges(head, answer.method) if error is None else None,
        filename=file_name_of(head.get("content-disposition")),
        method=answer.method,
        retry_after_seconds=error.retry_after_seconds if isinstance(error, TransientError) else None,
    )


def _size_of(head: Head, *, part: bool, empty: bool) -> int | None:
    """Bytes of the file itself; None of one that is encoded on the way, or told a size that none has."""
    if head.get("content-encoding") not in (None, "", "identity"):
        return None
    if empty:
        return 0
    if part:
        found = content_range(head)
        size = found.total if found is not None and found.first == 0 else None
    else:
        size = _length_of(head)
    return size if size is None or size <= LARGEST_SIZE else None


def _length_of(head: Head) -> int | None:
    return None if head.framing.chunked else head.framing.length


def _total_of_refusal(head: Head | None) -> int | None:
    """The size that a 416 names (RFC 9110 15.5.17), if it fits: no first byte is to be had of an empty file only."""
    if head is None or head.status != _UNSATISFIABLE:
        return None
    return 0 if (head.get("content-range") or "").replace(" ", "").lower() == "bytes*/0" else None


def _accepts_ranges(head: Head, method: str) -> bool | None:
    if method == "GET":
        found = content_range(head)
        # One that leaves the total open is as good a proof.
        open_total = (head.get("content-range") or "").strip().lower() == "bytes 0-0/*"
        return head.status == _PARTIAL and (open_total or (found is not None and found.first == 0))
    word = (head.get("accept-ranges") or "").strip().lower()
    return {"bytes": True, "none": False}.get(word)


def _kept(value: str | None) -> str | None:
    """A field as it may be written down; one of absurd length names nothing."""
    return shown(value) if value is not None and len(value) <= _LONGEST_VALIDATOR else None
