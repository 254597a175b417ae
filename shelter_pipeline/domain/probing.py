"""What a look at a file's head tells, whether the file changed since the last look, and when to look again.

Pure decisions: no clock, no network. A probe is cheap for us and not for the hosts, so the
pause between two of them doubles while nothing changes and halves when something did,
within bounds. How two versions are told apart follows RFC 9110 8.8: a strong entity tag
decides alone, dates and sizes only where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from shelter_pipeline.domain.follow_up import wished_rest
from shelter_pipeline.domain.verdicts import REASONS, Next, retry_delay

OK = "ok"  # the reason of a probe that found the file; every other one is a reason of a capture
GONE = frozenset({"not-found", "gone"})
FIRST_INTERVAL = timedelta(hours=24)
_LEAST_REST = timedelta(hours=1)  # after a failure: longer than most runs, so that none asks for a file twice
# Servers announce lengths that no disk could hold. What is believed has to be summed over millions of files, too.
LARGEST_SIZE = 2**50
_SPREAD = 5  # the moment of a probe is drawn forward by up to a fifth of its pause
_GOLDEN = 0x9E3779B97F4A7C15  # multiplied by it, neighbouring numbers lie far apart (Fibonacci hashing)
_TAG = re.compile(r'(W/)?"([^"]*)"\Z')
# Apache, Jetty, and what stands in front of servers mark the tag of a reply they have encoded.
_CODING = re.compile(r"(?:-{1,2}|[;:])(?:x-)?(?:gzip|deflate|br|zstd)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest pause between two probes of a file that is there."""

    shortest: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=30)

    def of(self, pause: timedelta) -> timedelta:
        """The pause within the bounds; where they contradict each other the shortest is kept to."""
        return max(min(pause, self.longest), self.shortest)


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one version of a file from another; size in bytes."""

    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of one probe.

    `reason` is `ok`, or the reason that a capture would have ended for. `size` in bytes is what
    the server announced of the file as it would be kept, and no promise; None where it announced
    nothing that can be believed. `accepts_ranges` is None where the server does not say.
    """

    url: str
    final_url: str
    reason: str
    probed_at: datetime
    detail: str = ""
    status: int | None = None
    size: int | None = None
    media_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    accepts_ranges: bool | None = None
    filename: str | None = None
    method: str | None = None  # of the reply that all this was taken from
    requests: int = 0
    retry_after_seconds: float | None = None

    @property
    def validators(self) -> Validators:
        """What tells this version from another."""
        return Validators(self.etag, self.last_modified, self.size)


class Change(StrEnum):
    """What two looks at a file say of each other."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"  # neither of them had anything in common with the other


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a file before a probe: of its earlier probes, and of the version we hold.

    `reason` is that of the last capture, `alarm` what the last probe had it fetched for.
    """

    asset_id: int
    held: bool = False
    reason: str | None = None
    kept: Validators | None = None  # of the version we hold
    seen: Validators | None = None  # of the last probe that found the file
    interval: timedelta | None = None  # None: never probed
    failures: int = 0  # in a row
    alarm: str | None = None
    only_size: bool = False  # its tags and dates have raised a false alarm


@dataclass(frozen=True, slots=True)
class Look:
    """What follows a probe: when to look again, and whether the file is to be fetched for it.

    `alarm` says why it is: `changed` or `gone`; a batch decides then, by the download, what is so.
    """

    change: Change | None  # None: the file was not seen
    interval: timedelta
    rest: timedelta
    failures: int
    alarm: str | None
    only_size: bool


def compare(before: Validators, after: Validators, *, only_size: bool = False) -> Change:
    """Whether the version changed: by strong entity tags, else by date and size, else by size.

    Tags that are equal but for `W/` and the mark of an encoding are the same version. Weak tags
    that differ prove nothing. With `only_size` neither tags nor dates are believed.
    """
    if not only_size:
        word = _by_tag(before.etag, after.etag)
        if word is not None:
            return word
        dates = _moment(before.last_modified), _moment(after.last_modified)
        if None not in dates:
            same = dates[0] == dates[1] and _by_size(before.size, after.size) is not Change.CHANGED
            return Change.SAME if same else Change.CHANGED
    return _by_size(before.size, after.size)


def _by_tag(before: str | None, after: str | None) -> Change | None:
    """None where the tags decide nothing."""
    first, second = _TAG.match(before or ""), _TAG.match(after or "")
    if first is None or second is None:
        return None
    if _CODING.sub("", first[2]) == _CODING.sub("", second[2]):
        return Change.SAME
    return None if first[1] or second[1] else Change.CHANGED


def _by_size(before: int | None, after: int | None) -> Change:
    if before is None or after is None:
        return Change.UNKNOWN
    return Change.SAME if before == after else Change.CHANGED


def _moment(text: str | None) -> datetime | str | None:
    """A date by its meaning, for not every machine of a host writes it alike; else as it is written."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return text


def after_probe(history: History, probe: Probe, bounds: Bounds) -> Look:
    """When to look again, and whether a held file is to be fetched because of this probe.

    Unchanged doubles the pause, changed halves it, a failure leaves it and rests as its reason
    asks for, never for longer than the longest pause. KeyError for an unknown reason.
    """
    interval = bounds.of(history.interval or FIRST_INTERVAL)
    if probe.reason != OK:
        return _after_failure(history, probe, interval, bounds)
    only_size = history.only_size or (history.alarm == "changed" and history.reason == "unchanged")
    change = _change(history, probe, only_size=only_size)
    if history.interval is not None and change is not None:
        interval = bounds.of(interval / 2 if change is Change.CHANGED else interval * 2)
    kept = history.kept if history.held else None
    outdated = kept is not None and compare(kept, probe.validators, only_size=only_size) is Change.CHANGED
    return Look(
        change,
        interval,
        bounds.of(spread(history.asset_id, interval)),
        0,
        "changed" if outdated else None,
        only_size,
    )


def _change(history: History, probe: Probe, *, only_size: bool) -> Change | None:
    before = history.seen or (history.kept if history.held else None)
    return None if before is None else compare(before, probe.validators, only_size=only_size)


def _after_failure(history: History, probe: Probe, interval: timedelta, bounds: Bounds) -> Look:
    failures = history.failures + 1
    rest = max(retry_delay(probe.reason, failures), wished_rest(probe.retry_after_seconds), _LEAST_REST)
    if REASONS[probe.reason].next is Next.STOP:  # only a changed record or setting can help
        rest = bounds.longest
    # What was gone at the last capture as well is on its own way to a verdict.
    gone = history.held and probe.reason in GONE and history.reason not in GONE
    return Look(
        None, interval, min(rest, bounds.longest), failures, "gone" if gone else None, history.only_size
    )


def spread(asset_id: int, pause: timedelta) -> timedelta:
    """The pause of this file: up to a fifth less, by its id, so that what was probed at once is not due at once."""
    part = (asset_id * _GOLDEN % 2**64) / 2**64
    return pause - pause / _SPREAD * part
