"""When a file is looked at again, and what counts as another version of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.disposition import file_name_of
from shelter_pipeline.domain.probing import (
    FIRST_INTERVAL,
    OK,
    Bounds,
    Change,
    History,
    Look,
    Probe,
    Validators,
    after_probe,
    compare,
    spread,
)
from shelter_pipeline.domain.verdicts import REASONS

BOUNDS = Bounds()
SHORTEST, LONGEST = BOUNDS.shortest, BOUNDS.longest
DAY = timedelta(days=1)
MONDAY, TUESDAY = "Mon, 05 Jan 2026 10:00:00 GMT", "Tue, 06 Jan 2026 10:00:00 GMT"
V1, V2 = Validators('"1"', MONDAY, 10), Validators('"2"', TUESDAY, 11)


def seen(version: Validators = V1, *, reason: str = OK, **changes: Any) -> Probe:
    return Probe(
        "https://a.example/f",
        "https://a.example/f",
        reason,
        datetime.now(UTC),
        size=version.size,
        etag=version.etag,
        last_modified=version.last_modified,
        **changes,
    )


def after(history: History, *probes: Probe) -> list[Look]:
    """What follows each of several probes of a file that is not fetched between them."""
    looks = []
    for found in probes:
        look = after_probe(history, found, BOUNDS)
        looks.append(look)
        history = History(
            history.asset_id,
            held=history.held,
            reason=history.reason,
            kept=history.kept,
            seen=found.validators if found.reason == OK else history.seen,
            interval=look.interval,
            failures=look.failures,
            alarm=look.alarm,
            only_size=look.only_size,
        )
    return looks


def test_the_first_look_is_followed_by_another_after_a_day() -> None:
    (look,) = after(History(1), seen())

    assert (look.change, look.interval) == (None, FIRST_INTERVAL)
    assert look.rest <= FIRST_INTERVAL


def test_a_file_that_never_changes_is_asked_for_once_a_month_in_the_end() -> None:
    looks = after(History(1), *[seen()] * 8)

    assert [look.interval / DAY for look in looks] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_file_that_always_changes_is_asked_for_twice_a_day() -> None:
    looks = after(History(1, interval=8 * DAY, seen=V2), *[seen(V1), seen(V2)] * 3)

    assert [look.interval / DAY for look in looks] == [4, 2, 1, 0.5, 0.5, 0.5]
    assert {look.change for look in looks} == {Change.CHANGED}


def test_a_failure_leaves_the_pace_and_rests_as_its_reason_asks_for() -> None:
    known = History(1, interval=8 * DAY, seen=V1)

    (look,) = after(known, seen(Validators(), reason="not-found"))

    assert (look.interval, look.rest, look.failures) == (8 * DAY, LONGEST, 1)


def test_failures_in_a_row_rest_longer_each_time_and_are_forgotten_when_the_file_is_seen() -> None:
    failing = seen(Validators(), reason="dns-failed")

    looks = after(History(1), failing, failing, failing, seen())

    assert [look.rest for look in looks[:3]] == [timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)]
    assert [look.failures for look in looks] == [1, 2, 3, 0]


def test_a_host_that_asks_for_hours_is_given_them_but_never_more_than_a_day() -> None:
    (short,) = after(History(1), seen(Validators(), reason="rate-limited", retry_after_seconds=7 * 3600))
    (long,) = after(History(1), seen(Validators(), reason="rate-limited", retry_after_seconds=1e12))

    assert (short.rest, long.rest) == (timedelta(hours=7), DAY)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_after_any_failure_the_file_is_looked_at_again_within_bounds(reason: str) -> None:
    (look,) = after(History(1), seen(Validators(), reason=reason))

    assert timedelta(hours=1) <= look.rest <= LONGEST


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (V1, V1, Change.SAME),
        (V1, V2, Change.CHANGED),
        (Validators('"1"', MONDAY, 10), Validators('"1"', TUESDAY, 11), Change.SAME),
        (Validators('"1"', MONDAY, 10), Validators('"2"', MONDAY, 10), Change.CHANGED),
        (Validators('W/"1"'), Validators('"1"'), Change.SAME),
        (Validators('"1-gzip"'), Validators('"1"'), Change.SAME),
        (Validators('"1--gzip"'), Validators('W/"1;br"'), Change.SAME),
        (Validators('W/"1"', MONDAY, 10), Validators('W/"2"', MONDAY, 10), Change.SAME),
        (Validators('W/"1"', MONDAY, 10), Validators('W/"2"', TUESDAY, 10), Change.CHANGED),
        (Validators(None, MONDAY, 10), Validators(None, MONDAY, 11), Change.CHANGED),
        (Validators(None, MONDAY), Validators(None, "Mon, 05 Jan 2026 10:00:00 +0000"), Change.SAME),
        (Validators(None, MONDAY, 10), Validators(None, None, 10), Change.SAME),
        (Validators(None, None, 10), Validators(None, None, 11), Change.CHANGED),
        (Validators("unquoted", None, 10), Validators("other", None, 10), Change.SAME),
        (Validators('"1"'), Validators(None, MONDAY), Change.UNKNOWN),
        (Validators(), Validators(), Change.UNKNOWN),
    ],
)
def test_versions_are_told_apart_by_the_best_that_both_looks_have(
    before: Validators, after: Validators, change: Change
) -> None:
    assert compare(before, after) is change
    assert compare(after, before) is change


def test_a_held_file_that_is_another_one_upstream_is_to_be_fetched() -> None:
    held = History(1, held=True, reason="stored", kept=V1)

    assert [look.alarm for look in after(held, seen(V2), seen(V2))] == ["changed", "changed"]
    assert [look.alarm for look in after(held, seen(V1))] == [None]


def test_a_pending_file_that_changed_needs_no_alarm() -> None:
    (look,) = after(History(1, seen=V1, interval=DAY, kept=V1), seen(V2))

    assert (look.change, look.alarm) == (Change.CHANGED, None)


@pytest.mark.parametrize("reason", ["not-found", "gone"])
def test_a_held_file_that_is_gone_is_to_be_fetched_once_so_that_the_download_says_so(reason: str) -> None:
    held = History(1, held=True, reason="stored", kept=V1)
    told = History(1, held=True, reason="not-found", kept=V1)

    assert after(held, seen(Validators(), reason=reason))[0].alarm == "gone"
    assert after(told, seen(Validators(), reason=reason))[0].alarm is None


def test_tags_that_raised_a_false_alarm_are_not_believed_again() -> None:
    """Servers make up a new ETag and date for each reply: the download then brings the bytes that we hold."""
    fooled = History(
        1, held=True, reason="unchanged", kept=Validators('"a"', MONDAY, 10), interval=DAY, alarm="changed"
    )

    other_tag, other_size = after(
        fooled, seen(Validators('"b"', TUESDAY, 10)), seen(Validators('"c"', None, 11))
    )

    assert (other_tag.alarm, other_tag.only_size, other_tag.interval) == (None, True, 2 * DAY)
    assert (other_size.alarm, other_size.only_size) == ("changed", True)


TEXTS = st.one_of(st.none(), st.text(max_size=30), st.sampled_from(['"1"', 'W/"1"', MONDAY, TUESDAY]))
VALIDATORS = st.builds(Validators, TEXTS, TEXTS, st.one_of(st.none(), st.integers(0, 2**50)))
PROBES = st.builds(
    seen,
    VALIDATORS,
    reason=st.sampled_from([OK, OK, OK, *sorted(REASONS)]),
    retry_after_seconds=st.one_of(st.none(), st.floats(0, 1e15)),
)
HISTORIES = st.builds(
    History,
    st.integers(1, 2**63 - 1),
    held=st.booleans(),
    reason=st.one_of(st.none(), st.sampled_from(sorted(REASONS))),
    kept=st.one_of(st.none(), VALIDATORS),
    seen=st.one_of(st.none(), VALIDATORS),
    interval=st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=9999))),
    failures=st.integers(0, 2**31),
    alarm=st.sampled_from([None, "changed", "gone"]),
    only_size=st.booleans(),
)


@given(HISTORIES, PROBES)
def test_whatever_is_told_the_next_look_is_within_bounds(history: History, probe: Probe) -> None:
    look = after_probe(history, probe, BOUNDS)

    assert SHORTEST <= look.interval <= LONGEST
    least = SHORTEST if probe.reason == OK else timedelta(hours=1)
    assert least <= look.rest <= LONGEST
    assert look.alarm is None or history.held


@given(VALIDATORS, VALIDATORS)
def test_telling_versions_apart_does_not_depend_on_which_came_first(
    one: Validators, other: Validators
) -> None:
    assert compare(one, other) is compare(other, one)
    assert compare(one, one) is not Change.CHANGED


@given(st.integers(1, 2**63 - 1))
def test_a_pause_is_shortened_by_a_fifth_at_most_and_always_alike(asset_id: int) -> None:
    assert LONGEST * 0.8 <= spread(asset_id, LONGEST) <= LONGEST
    assert spread(asset_id, LONGEST) == spread(asset_id, LONGEST)


def test_what_was_probed_at_once_is_not_due_at_once() -> None:
    hours = [spread(number, LONGEST) // timedelta(hours=1) for number in range(10_000)]

    assert max(hours.count(hour) for hour in set(hours)) < 2 * 10_000 / len(set(hours))
    assert len(set(hours)) >= 140


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('attachment; filename="storms 2024.csv"', "storms 2024.csv"),
        ("attachment; filename=a.csv; size=3", "a.csv"),
        ("attachment; filename=a.csv; filename*=UTF-8''caf%C3%A9.csv", "café.csv"),
        ("attachment; filename*=iso-8859-1'de'%E4.csv", "ä.csv"),
        ('attachment; filename="caf\xc3\xa9.csv"', "café.csv"),
        ('inline;FILENAME="../../etc/passwd"', "passwd"),
        ('inline; filename="a\x1b[2J.csv"', "a[2J.csv"),
        ("attachment", None),
        ('attachment; filename=".."', None),
        ('attachment; filename=""', None),
        (None, None),
    ],
)
def test_the_name_a_server_gives_is_shown_without_its_path(field: str | None, name: str | None) -> None:
    assert file_name_of(field) == name


@given(st.text(max_size=300).map(lambda text: f"attachment; filename{text}"))
def test_no_field_makes_a_name_that_leaves_its_folder(field: str) -> None:
    name = file_name_of(field) or "-"

    assert name.isprintable()
    assert not {"/", "\\"} & set(name)
    assert name not in {".", ".."}


@pytest.mark.parametrize(
    "part", [";", "; filename=", '; filename="', '; filename="\\', ";filename*=utf-8'", " "]
)
def test_a_field_of_megabytes_is_read_at_once(part: str) -> None:
    begun = time.process_time()

    file_name_of("attachment" + part * (5_000_000 // len(part)))

    assert time.process_time() - begun < 1
