"""The pure decisions of a fetch: pauses, pace, ranges, dates, checksums."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import DamagedError, ShelterError, TransientError
from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.fetching.framing import Head, HeadReader, framing_of
from shelter_pipeline.fetching.pace import Pace
from shelter_pipeline.fetching.replies import content_range, retry_after_seconds
from shelter_pipeline.fetching.retry import pause_before_retry

NOW = datetime(2026, 7, 6, 12, tzinfo=UTC)


def pause(error: ShelterError, attempt: int = 1, left_seconds: float = 3600) -> float | None:
    return pause_before_retry(
        error, attempt, max_attempts=4, first_delay_seconds=1, left_seconds=left_seconds
    )


def test_pauses_grow_with_each_attempt() -> None:
    pauses = [pause(TransientError("x", reason="connection-lost"), attempt) for attempt in (1, 2, 3)]

    assert all(
        least <= (seconds or 0) <= 2 * least for seconds, least in zip(pauses, (0.5, 1, 2), strict=True)
    )


@pytest.mark.parametrize(
    "reason", ["no-space", "store-failed", "interrupted", "not-found", "too-slow", "dns-failed"]
)
def test_what_seconds_do_not_cure_is_not_waited_for(reason: str) -> None:
    assert pause(TransientError("x", reason=reason)) is None


def test_attempts_and_the_deadline_end_the_waiting() -> None:
    error = TransientError("x", reason="connection-lost")

    assert pause(error, attempt=4) is None
    assert pause(error, left_seconds=0.1) is None


def test_a_burst_does_not_excuse_a_silent_window() -> None:
    pace = Pace(window_seconds=10, min_bytes_per_second=100)

    verdicts = [pace.too_slow(second, min(second, 3) * 1_000_000) for second in range(16)]

    assert verdicts.index(True) == 13


def test_a_steady_trickle_above_the_rate_goes_on() -> None:
    pace = Pace(window_seconds=10, min_bytes_per_second=100)

    assert not any(pace.too_slow(second, second * 100) for second in range(600))


def test_a_trickle_below_the_rate_ends_with_the_first_window() -> None:
    pace = Pace(window_seconds=10, min_bytes_per_second=100)

    verdicts = [pace.too_slow(second, second * 99) for second in range(12)]

    assert verdicts.index(True) == 10


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("99999999999999999999999", 86_400),
        ("Mon, 06 Jul 2026 12:01:00 GMT", 60),
        ("Monday, 06-Jul-26 12:01:00 GMT", 60),
        ("Mon, 06 Jul 2026 11:00:00 GMT", 0),
        ("Mon, 06 Jul 2126 11:00:00 GMT", 86_400),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("Mon, 99 Jul 2026 11:00:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_can_surprise(value: str) -> None:
    seconds = retry_after_seconds(value, NOW)

    assert seconds is None or 0 <= seconds <= 86_400


@given(st.text() | st.from_regex(r"bytes [0-9]+-[0-9]+/[0-9]+", fullmatch=True))
def test_a_content_range_is_inside_its_file_or_none(value: str) -> None:
    found = content_range(Head(206, "1.1", (("Content-Range", value),)))

    assert found is None or 0 <= found.first <= found.last < found.total


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_head_can_surprise_or_outgrow_its_bounds(lines: list[bytes]) -> None:
    reader = HeadReader(max_bytes=300, max_lines=10)

    with suppress(DamagedError):
        for head in filter(None, [reader.feed(line + b"\r\n") for line in lines]):
            framing_of(head)

    assert reader.size <= 300 + 42


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("sha256:" + "AB" * 32, ("sha256", "ab" * 32)),
        ("SHA-1:" + "ab" * 20, ("sha1", "ab" * 20)),
        ("md5: " + "ab" * 16, ("md5", "ab" * 16)),
        ("sha256:" + "ab" * 16, None),
        ("crc32:abcdef01", None),
        ("ab" * 32, None),
        ("sha256:" + "zz" * 32, None),
        (None, None),
    ],
)
def test_only_a_checksum_that_can_be_computed_is_used(
    text: str | None, digest: tuple[str, str] | None
) -> None:
    assert Promise(checksum=text).digest == digest


def test_validators_are_sent_only_for_what_is_held() -> None:
    assert Promise(etag='"a"').validators == {}
    assert Promise(etag='"a"', held_sha256="ab").validators == {"If-None-Match": '"a"'}
