"""How a capture can end, and what happens next for each reason.

A failure is an outcome, not an exception: each capture ends in one verdict with one
reason slug, and the reason decides whether, and when, the asset is asked for again.
`docs/reasons.md` shows this table to people; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """The end of one capture."""

    STORED = "stored"  # new bytes, whole, verified, in the vault
    UNCHANGED = "unchanged"  # the bytes we hold are still the bytes there
    TRANSIENT = "transient"  # try again later
    PERMANENT = "permanent"  # do not try again soon
    REFUSED = "refused"  # policy: nothing was sent
    DAMAGED = "damaged"  # bytes that contradict what was promised of them
    SUSPECT = "suspect"  # whole, but not the thing promised; kept apart, not counted as held


class Next(StrEnum):
    """What the planner does with an asset after a verdict."""

    KEEP = "keep"  # held: revalidate on schedule
    RETRY = "retry"  # put back with a growing delay, until attempts run out
    REVISIT = "revisit"  # look again after a long rest; it may have come back
    STOP = "stop"  # only a changed record, setting or override brings it back
    REVIEW = "review"  # a person or a rule must decide


@dataclass(frozen=True, slots=True)
class Reason:
    """One slug: the verdict it belongs to, what follows, and its sentence for people."""

    slug: str
    verdict: Verdict
    next: Next
    rest: timedelta
    sentence: str


_SOON = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_MONTH = timedelta(days=30)
_NEVER = timedelta(0)

_T, _P, _R, _D, _S = (
    Verdict.TRANSIENT,
    Verdict.PERMANENT,
    Verdict.REFUSED,
    Verdict.DAMAGED,
    Verdict.SUSPECT,
)

_TABLE = (
    Reason("stored", Verdict.STORED, Next.KEEP, _MONTH, "The file is held whole and its hash is recorded."),
    Reason("unchanged", Verdict.UNCHANGED, Next.KEEP, _MONTH, "The server still has the bytes we hold."),
    # transient
    Reason("connect-failed", _T, Next.RETRY, _SOON, "No connection could be made to the server."),
    Reason("dns-failed", _T, Next.RETRY, _HOUR, "The server's name could not be resolved."),
    Reason("connection-lost", _T, Next.RETRY, _SOON, "The connection broke before the reply was whole."),
    Reason("wrong-length", _T, Next.RETRY, _SOON, "Fewer bytes arrived than the server had announced."),
    Reason("too-slow", _T, Next.RETRY, _HOUR, "The server sent too little for too long."),
    Reason("deadline", _T, Next.RETRY, _HOUR, "The transfer did not end within the total deadline."),
    Reason("server-error", _T, Next.RETRY, _SOON, "The server answered with an error of its own (5xx)."),
    Reason("rate-limited", _T, Next.RETRY, _HOUR, "The server asked us to come back later (429, 503)."),
    Reason(
        "host-rests", _T, Next.RETRY, _SOON, "The host asked for rest, so this file was not asked for at all."
    ),
    Reason(
        "processing", _T, Next.RETRY, _SOON, "The server is still preparing the file (202, or it says so)."
    ),
    Reason("no-space", _T, Next.RETRY, _SOON, "The store has no room for the file."),
    Reason("store-failed", _T, Next.RETRY, _SOON, "The store could not keep the file."),
    Reason("interrupted", _T, Next.RETRY, _NEVER, "We stopped the transfer ourselves before it was whole."),
    Reason(
        "unproved", _T, Next.RETRY, _SOON, "A volunteer's node reports the file and has not yet proved it."
    ),
    # permanent
    Reason("not-found", _P, Next.REVISIT, _MONTH, "The server has nothing at this address (404)."),
    Reason("gone", _P, Next.REVISIT, _MONTH, "The server says the file is gone for good (410)."),
    Reason("login-required", _P, Next.REVISIT, _MONTH, "The server asks for a login (401, 407)."),
    Reason("forbidden", _P, Next.REVISIT, _MONTH, "The server refuses to hand the file out (403)."),
    Reason("legal", _P, Next.REVISIT, _MONTH, "The file is withheld for legal reasons (451)."),
    Reason("http-status", _P, Next.REVISIT, _MONTH, "The server answered with a status that holds no file."),
    Reason("too-large", _P, Next.STOP, _NEVER, "The file is larger than the configured limit."),
    Reason("bad-redirect", _P, Next.REVISIT, _MONTH, "A redirect leads nowhere we may follow."),
    Reason("tls-failed", _P, Next.REVISIT, _MONTH, "The server's certificate could not be trusted."),
    Reason("service", _P, Next.STOP, _NEVER, "The address is a web service, not a file."),
    Reason("directory", _P, Next.REVISIT, _MONTH, "The address is a directory of an FTP server, not a file."),
    Reason(
        "landing-page-only", _P, Next.REVISIT, _MONTH, "The page leads to no file, so nothing of it is held."
    ),
    Reason("unreadable", _P, Next.REVISIT, _MONTH, "The page could not be read for its links."),
    # refused
    Reason("bad-url", _R, Next.STOP, _NEVER, "The address is not a URL that can be asked for."),
    Reason(
        "bad-scheme",
        _R,
        Next.STOP,
        _NEVER,
        "The address has a scheme other than http, https or ftp.",
    ),
    Reason("private-address", _R, Next.STOP, _NEVER, "The address leads into a private or reserved network."),
    Reason("port-not-allowed", _R, Next.STOP, _NEVER, "The port is not one that a rescue may use."),
    Reason("robots", _R, Next.REVISIT, _MONTH, "The host asks robots to stay away from this address."),
    Reason("excluded", _R, Next.STOP, _NEVER, "An operator has excluded this item."),
    # damaged
    Reason("head-invalid", _D, Next.RETRY, _HOUR, "The reply's head contradicts itself or cannot be read."),
    Reason("head-too-large", _D, Next.RETRY, _HOUR, "The reply's head is larger than any honest head."),
    Reason("truncated-encoding", _D, Next.RETRY, _HOUR, "The encoded reply ends before the end of its data."),
    Reason("bad-encoding", _D, Next.RETRY, _HOUR, "The reply says it is encoded in a way that it is not."),
    Reason(
        "mismatch", _D, Next.REVIEW, _MONTH, "The checksum or size contradicts what the catalogue promised."
    ),
    # suspect
    Reason("html-instead", _S, Next.REVIEW, _MONTH, "A web page arrived where a data file was promised."),
    Reason(
        "login-page", _S, Next.REVIEW, _MONTH, "A login page or robot check arrived in place of a data file."
    ),
    Reason("empty", _S, Next.REVIEW, _MONTH, "The file has no bytes."),
    Reason("wrong-type", _S, Next.REVIEW, _MONTH, "Another kind of file, or an error message, arrived."),
    Reason("incomplete", _S, Next.REVIEW, _MONTH, "The file was cut short before it came to the server."),
    Reason("shrunk", _S, Next.REVIEW, _MONTH, "Next to nothing is left of a file that we hold."),
    Reason("rejected", _S, Next.REVIEW, _MONTH, "A person has said that these bytes are not the file."),
)

REASONS: dict[str, Reason] = {reason.slug: reason for reason in _TABLE}


def verdict_of(slug: str) -> Verdict:
    """The verdict a reason belongs to. KeyError for a slug that is not in the table."""
    return REASONS[slug].verdict


def holds_file(verdict: Verdict) -> bool:
    """Whether bytes of this capture count as a rescued file."""
    return verdict in (Verdict.STORED, Verdict.UNCHANGED)


def retry_delay(slug: str, attempts: int, *, longest: timedelta = timedelta(hours=24)) -> timedelta:
    """How long to rest after `attempts` failures for this reason: the reason's rest, doubled each time."""
    rest = REASONS[slug].rest
    if REASONS[slug].next is not Next.RETRY:
        return rest
    return min(rest * (1 << min(max(attempts - 1, 0), 20)), longest)
