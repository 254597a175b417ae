"""What a request gets of bytes that never change: the tables of RFC 9110, and whatever a header may hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.byte_ranges import Answer, Conditions, Part, answer_to, part_of

WHOLE, UNSATISFIABLE, NOT_MODIFIED, FAILED = Answer
TAG, OTHER = '"' + "a" * 64 + '"', '"other"'
STORED = datetime(2026, 5, 4, 12, 30, 15, 999_999, tzinfo=UTC)
SAME, BEFORE, AFTER = (f"Mon, 04 May 2026 12:30:{seconds} GMT" for seconds in ("15", "14", "16"))


# Section 14.1.2, of a representation of 10,000 bytes.
@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-499", Part(0, 499)),
        ("bytes=500-999", Part(500, 999)),
        ("bytes=-500", Part(9500, 9999)),
        ("bytes=9500-", Part(9500, 9999)),
        ("bytes=0-", Part(0, 9999)),
        ("bytes=0-0", Part(0, 0)),
        ("bytes=9999-9999", Part(9999, 9999)),
        ("bytes=9000-99999", Part(9000, 9999)),
        ("bytes=-99999", Part(0, 9999)),
        ("bytes=0-" + "9" * 1000, Part(0, 9999)),
        ("BYTES = 1 - 2", Part(1, 2)),
        ("bytes= , 1-2 ,,", Part(1, 2)),
        ("bytes=500-600,601-999", Part(500, 999)),  # they touch
        ("bytes=500-700,601-999", Part(500, 999)),  # they overlap
        ("bytes=-1,0-9998", Part(0, 9999)),
        ("bytes=5-6,20000-", Part(5, 6)),  # what cannot be had is left out
        ("bytes=0-0,-1", WHOLE),  # several that do not touch
        ("bytes=10000-", UNSATISFIABLE),
        ("bytes=10000-10001,20000-", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=" + "9" * 1000 + "-", UNSATISFIABLE),
        *(
            (header, WHOLE)
            for header in ("", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5", "bytes=a-b")
        ),
        *(
            (header, WHOLE)
            for header in ("bytes=2-1", "bytes=1-2,2-1", "bytes=+1-2", "bytes=1-2-3", "items=0-5")
        ),
        *((header, WHOLE) for header in ("bytes=\u0661-\u0662", "bytes=1.0-2", "bytes=0x1-2", "-5", "0-5")),
        ("bytes=" + "0-0," * 5000, WHOLE),
    ],
)
def test_a_range_is_read_as_the_rfc_says(header: str, wanted: Answer | Part) -> None:
    assert part_of(header, 10_000) == wanted


def test_nothing_has_no_range() -> None:
    assert [part_of(header, 0) for header in ("bytes=0-", "bytes=-5", "bytes=0-0")] == [UNSATISFIABLE] * 3


_HOSTILE = st.one_of(
    st.text(),
    st.from_regex(r"(?i)bytes *= *([0-9]{0,25} *- *[0-9]{0,25} *,? *){0,5}\Z"),
)


@given(header=_HOSTILE, size=st.integers(0, 2**63))
def test_whatever_a_header_says_the_part_lies_within_the_file(header: str, size: int) -> None:
    found = part_of(header, size)

    if isinstance(found, Part):
        assert 0 <= found.first <= found.last < size
    else:
        assert found in (WHOLE, UNSATISFIABLE)


@given(body=st.binary(min_size=1, max_size=50), first=st.integers(0, 60), more=st.integers(0, 60))
def test_a_range_is_the_slice_that_it_names(body: bytes, first: int, more: int) -> None:
    found = part_of(f"bytes={first}-{first + more}", len(body))

    expected = body[first : first + more + 1]
    assert (body[found.first : found.last + 1] if isinstance(found, Part) else b"") == expected


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ({}, WHOLE),
        ({"if_none_match": TAG}, NOT_MODIFIED),
        ({"if_none_match": f"W/{TAG}"}, NOT_MODIFIED),  # compared weakly
        ({"if_none_match": f"{OTHER}, {TAG}"}, NOT_MODIFIED),
        ({"if_none_match": "*"}, NOT_MODIFIED),
        ({"if_none_match": OTHER}, WHOLE),
        ({"if_none_match": "a" * 64}, WHOLE),  # no entity-tag
        ({"if_none_match": TAG, "range": "bytes=0-1"}, NOT_MODIFIED),
        ({"if_none_match": OTHER, "if_modified_since": AFTER}, WHOLE),  # the tag counts
        ({"if_modified_since": SAME}, NOT_MODIFIED),
        ({"if_modified_since": AFTER}, NOT_MODIFIED),
        ({"if_modified_since": BEFORE}, WHOLE),
        ({"if_modified_since": "yesterday"}, WHOLE),
        ({"if_modified_since": "Mon, 04 May 99999 12:30:15 GMT"}, WHOLE),
        ({"if_match": TAG}, WHOLE),
        ({"if_match": "*"}, WHOLE),
        ({"if_match": f"W/{TAG}"}, FAILED),  # compared strongly
        ({"if_match": OTHER}, FAILED),
        ({"if_match": OTHER, "if_none_match": TAG}, FAILED),
        ({"if_match": TAG, "if_unmodified_since": BEFORE}, WHOLE),
        ({"if_unmodified_since": BEFORE}, FAILED),
        ({"if_unmodified_since": SAME}, WHOLE),
        ({"range": "bytes=2-3"}, Part(2, 3)),
        ({"range": "bytes=2-3", "if_range": TAG}, Part(2, 3)),
        ({"range": "bytes=2-3", "if_range": OTHER}, WHOLE),
        ({"range": "bytes=2-3", "if_range": f"W/{TAG}"}, WHOLE),
        ({"range": "bytes=2-3", "if_range": SAME}, Part(2, 3)),
        ({"range": "bytes=2-3", "if_range": AFTER}, WHOLE),  # a date must be the same, not later
        ({"range": "bytes=2-3", "if_range": "nonsense"}, WHOLE),
        ({"range": "bytes=20000-", "if_range": OTHER}, WHOLE),
        ({"if_range": TAG}, WHOLE),
    ],
)
def test_conditions_come_in_the_order_of_the_rfc(conditions: dict[str, str], wanted: Answer | Part) -> None:
    assert answer_to(Conditions(**conditions), tag=TAG, modified=STORED, size=10_000) == wanted


@given(st.builds(Conditions, *[st.none() | st.text()] * 6))
def test_no_header_is_an_error_of_ours(asked: Conditions) -> None:
    assert isinstance(answer_to(asked, tag=TAG, modified=STORED, size=5), Answer | Part)
