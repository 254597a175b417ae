"""What a robots.txt, or its absence, means for a host, and what a process and the catalog tell each other of it.

RFC 9309: rules are obeyed; a client error means that there are none; a server error or a
network failure means that nothing may be asked until the file can be had, for a month at
most. Times are seconds of the caller's clock, or from now between a process and the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    RefusedError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.domain.verdicts import REASONS, Verdict

RobotsPolicy = Literal["obey", "ignore"]
RobotsState = Literal["unknown", "rules", "open", "failing"]

FRESH_SECONDS = 24 * 3600.0  # RFC 9309 section 2.4
FIRST_REST_SECONDS = 60.0
LONGEST_REST_SECONDS = 3600.0
LONGEST_ASKED_REST_SECONDS = 24 * 3600.0
GIVEN_UP_AFTER_SECONDS = 30 * 24 * 3600.0  # RFC 9309 section 2.3.1.4
MOST_BYTES = 500 * 1024  # RFC 9309 section 2.5: at least so much is read

# Nothing was learned of the host: we ourselves did not bring the request to its end.
_OURS = frozenset({"interrupted", "no-space", "store-failed"})
_KINDS = {Verdict.PERMANENT: PermanentError, Verdict.REFUSED: RefusedError}
_TOO_MANY, _FIRST_SERVER_ERROR = 429, 500


@dataclass(frozen=True, slots=True)
class RobotsReply:
    """How the request for a robots.txt ended, redirects followed: a status and what was read, or an error.

    Of a body longer than 500 KiB the beginning is enough.
    """

    status: int | None
    body: bytes = b""
    error: ShelterError | None = None


@dataclass(frozen=True, slots=True)
class RobotsRecord:
    """What is known of one origin. `body` stands with `rules`, `reason` and `detail` of the error with `failing`."""

    state: RobotsState = "unknown"
    body: str | None = None
    reason: str | None = None
    detail: str | None = None
    failures: int = 0  # in a row
    failing_since: float | None = None
    fresh_until: float | None = None  # when it is asked for again; None: at once

    def seen_from(self, moment: float) -> RobotsRecord:
        """The same record on a clock on which `moment` is zero."""
        return replace(
            self,
            failing_since=None if self.failing_since is None else self.failing_since - moment,
            fresh_until=None if self.fresh_until is None else self.fresh_until - moment,
        )


@dataclass(frozen=True, slots=True)
class RobotsQuestion:
    """An origin (`scheme://host`) whose record is wanted; with `claim` also the right to ask for its robots.txt."""

    origin: str
    host: str  # name:port
    claim: bool


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """The record, an operator's word on the host, and whether the file is ours to ask for, and nobody else's."""

    record: RobotsRecord
    policy: RobotsPolicy | None
    may_ask: bool


class RobotsLedger(Protocol):
    """Where records outlive a process. Raises ShelterError when it cannot be asked."""

    def exchange(
        self, learned: Mapping[tuple[str, str], RobotsRecord], questions: Sequence[RobotsQuestion]
    ) -> dict[str, RobotsAnswer]:
        """Keep what was learned, by origin and host; then answer the questions, by origin."""
        ...


def after_robots_reply(record: RobotsRecord, reply: RobotsReply, now: float) -> RobotsRecord:
    """The record once the robots.txt has been asked for; the same one if that said nothing of the host."""
    error = reply.error
    if error is not None and error.reason in _OURS:
        return record
    if _is_unreachable(reply):
        return _after_failure(record, reply, now)
    if (reply.status is not None and 200 <= reply.status <= 299) or _is_cut_by_us(error):  # noqa: PLR2004
        text = robots_text(reply.body)
        if text is not None:
            return RobotsRecord("rules", body=text, fresh_until=now + FRESH_SECONDS)
    return RobotsRecord("open", fresh_until=now + FRESH_SECONDS)


def robots_text(body: bytes) -> str | None:
    """The text of a robots.txt, up to its last whole line within 500 KiB; None for a web page in its place."""
    if len(body) > MOST_BYTES:
        body = body[:MOST_BYTES]
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    text = body.decode("utf-8", "replace").removeprefix("\ufeff").replace("\x00", "\ufffd")
    return None if text.lstrip().startswith("<") else text


def error_of_record(record: RobotsRecord, left_seconds: float) -> ShelterError:
    """What a file of a host fails with whose robots.txt cannot be had, as if the file itself had been asked for."""
    message = record.detail or "robots.txt cannot be had"
    kind = _KINDS.get(REASONS[record.reason].verdict) if record.reason in REASONS else None
    if kind is not None:
        return kind(message, reason=record.reason)
    return TransientError(message, reason=record.reason, retry_after_seconds=left_seconds)


def _is_unreachable(reply: RobotsReply) -> bool:
    """A server error or a network failure, as RFC 9309 section 2.3.1.4 has it."""
    error = reply.error
    if isinstance(error, DamagedError) or _is_cut_by_us(error):
        return False
    if error is not None and error.reason == "bad-redirect":
        return False
    if reply.status is None or (error is not None and reply.status < 300):  # noqa: PLR2004
        return True
    return reply.status == _TOO_MANY or reply.status >= _FIRST_SERVER_ERROR


def _is_cut_by_us(error: ShelterError | None) -> bool:
    return error is not None and error.reason == "too-large"


def _after_failure(record: RobotsRecord, reply: RobotsReply, now: float) -> RobotsRecord:
    """Hold, for a minute and then longer, at most an hour; after a month of that everything is open."""
    since = record.failing_since if record.failing_since is not None else now
    failures = record.failures + 1
    if now - since >= GIVEN_UP_AFTER_SECONDS:
        return RobotsRecord("open", failures=failures, failing_since=since, fresh_until=now + FRESH_SECONDS)
    rest = min(FIRST_REST_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_REST_SECONDS)
    if isinstance(reply.error, TransientError) and reply.error.retry_after_seconds is not None:
        rest = max(rest, min(reply.error.retry_after_seconds, LONGEST_ASKED_REST_SECONDS))
    return RobotsRecord(
        "failing",
        reason=reply.error.reason if reply.error is not None else _reason_of(reply.status),
        detail=f"robots.txt: {reply.error or f'the server answered {reply.status}'}",
        failures=failures,
        failing_since=since,
        fresh_until=now + rest,
    )


def _reason_of(status: int | None) -> str:
    return "rate-limited" if status == _TOO_MANY else "server-error"
