"""How trust grows and ends, what copies count for, what a later visit says of a node's."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelter_pipeline.domain.challenges import draw_ranges
from shelter_pipeline.domain.follow_up import LONGEST_NODE_REST, follow_up, follow_up_of_node
from shelter_pipeline.domain.node_reports import ReportError, plain, read_report
from shelter_pipeline.domain.testimony import Finding, Visit, compare, http_date
from shelter_pipeline.domain.trust import (
    LIES,
    Deed,
    challenge_days,
    confirmed_share,
    counts_for,
    is_blocked_after,
    trust_after,
)
from shelter_pipeline.domain.verdicts import REASONS, Verdict, verdict_of

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRUST = st.floats(0, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *(
        "asset_id",
        "token",
        "verdict",
        "reason",
        "sha256",
        "size",
        "detail",
        "final_url",
        "status",
        "media_type",
    ),
    *("etag", "last_modified", "flags", "requests", "wire_bytes", "started_at", "finished_at"),
    *("retry_after_seconds", "heads"),
)


@given(TRUST, st.sampled_from(Deed))
def test_trust_stays_between_0_and_1_and_only_proofs_raise_it(trust: float, deed: Deed) -> None:
    after = trust_after(trust, deed)

    assert 0 <= after <= 1
    assert (after >= trust) == (deed not in LIES | {Deed.NO_UPLOAD, Deed.DIFFERS} or after == trust)


@given(TRUST)
def test_one_lie_takes_all_trust(trust: float) -> None:
    assert {trust_after(trust, lie) for lie in LIES} == {0.0}


def test_trust_takes_years_of_proofs_and_three_lies_send_a_node_away() -> None:
    trust, proofs = 0.0, 0
    while trust < 0.9:
        trust, proofs = trust_after(trust, Deed.CHALLENGE), proofs + 1

    assert proofs > 200
    assert [is_blocked_after(lies) for lies in (1, 2, 3, 4)] == [False, False, True, True]


@given(TRUST, st.integers(0, 1000))
def test_new_nodes_are_looked_after_more_than_trusted_ones(trust: float, uploads: int) -> None:
    share = confirmed_share(trust, uploads, first=20, least=0.05)

    assert 0.05 <= share <= 1
    assert uploads >= 20 or share == 1
    assert challenge_days(0, 30) <= challenge_days(trust, 30) <= 30


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_longer_silence_never_counts_for_more(one: float, other: float) -> None:
    assert counts_for(max(one, other)) <= counts_for(min(one, other))


@given(st.integers(0, 10**13), st.randoms(use_true_random=False))
def test_ranges_lie_within_the_file_and_are_all_of_a_small_one(size: int, dice: object) -> None:
    ranges = draw_ranges(size, dice.randrange)  # type: ignore[attr-defined]

    assert all(0 <= first <= last < size for first, last in ranges)
    if size <= 512 * 1024:
        assert sum(last - first + 1 for first, last in ranges) == size
    else:
        assert {first for first, _ in ranges} >= {0, size - 64 * 1024}
        assert 2 <= len(ranges) <= 8


@pytest.mark.parametrize(
    ("ours", "seen", "finding"),
    [
        ("Wed, 31 Dec 2025 00:00:00 GMT", None, Finding.CONTRADICTED),
        ("Wed, 31 Dec 2025 00:00:00 GMT", "Wed, 31 Dec 2025 00:00:00 GMT", Finding.CONTRADICTED),
        ("Wed, 31 Dec 2025 00:00:00 GMT", "Thu, 01 Jan 2026 10:00:00 GMT", Finding.DIFFERS),  # an older cache
        ("Thu, 01 Jan 2026 13:00:00 GMT", None, Finding.CHANGED),
        (None, "Wed, 31 Dec 2025 00:00:00 GMT", Finding.DIFFERS),
        ("yesterday", None, Finding.DIFFERS),
    ],
)
def test_other_bytes_contradict_only_by_the_sources_own_word(
    ours: str | None, seen: str | None, finding: Finding
) -> None:
    node = Visit("a", seen, MOMENT)

    assert compare(node, Visit("b", ours, MOMENT + timedelta(hours=3))) is finding
    assert compare(node, Visit("a", ours, MOMENT + timedelta(hours=3))) is Finding.CONFIRMED


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_a_date_that_is_none_is_none(text: str) -> None:
    found = http_date(text)

    assert found is None or found.tzinfo is UTC


@given(st.sampled_from(sorted(REASONS)), st.integers(0, 20), st.floats() | st.none())
def test_nothing_that_one_node_says_stops_a_file(reason: str, attempts: int, wished: float | None) -> None:
    alone = follow_up_of_node(
        reason, attempts, witnesses=1, quorum=2, max_attempts=8, retry_after_seconds=wished
    )
    agreed = follow_up_of_node(
        reason, attempts, witnesses=2, quorum=2, max_attempts=8, retry_after_seconds=wished
    )

    assert (alone.state, alone.attempts) == ("pending", attempts)
    assert alone.rest is not None
    assert timedelta(0) < alone.rest <= LONGEST_NODE_REST
    assert agreed == follow_up(reason, attempts, max_attempts=8, retry_after_seconds=wished)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_is_reported_is_read_whole_or_refused(raw: dict[str, object]) -> None:
    whole = {"asset_id": 1, "token": 1, "verdict": "transient", "reason": "deadline"} | raw
    report = None
    with suppress(ReportError):
        report = read_report(whole)

    if report is not None:
        assert report.verdict == verdict_of(report.reason)
        assert (report.verdict != Verdict.STORED) or None not in (report.sha256, report.size)
        assert plain(report.detail) == report.detail
