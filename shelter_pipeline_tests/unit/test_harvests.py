"""How much a harvest may be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.harvests import judge_completeness

counts = st.integers(0, 10**7)


@pytest.mark.parametrize(
    ("finished", "read", "expected", "verdict"),
    [
        (True, 300, 300, "complete"),
        (True, 303, 300, "complete"),
        (True, 0, 0, "complete"),
        (True, 99, 100, "plausible"),
        (True, 520_900, 526_000, "plausible"),
        (True, 300, None, "plausible"),
        (True, 98, 100, "partial"),
        (True, 0, 1, "partial"),
        (True, 0, None, "partial"),
        (False, 300, 300, "partial"),
        (False, 1, None, "partial"),
        (False, 0, 300, "unreachable"),
        (False, 0, None, "unreachable"),
    ],
)
def test_a_harvest_is_judged_by_its_end_and_its_witness(
    *, finished: bool, read: int, expected: int | None, verdict: str
) -> None:
    assert judge_completeness(finished=finished, read=read, expected=expected) == verdict


@given(read=counts, expected=st.none() | counts)
def test_a_harvest_that_broke_off_is_never_believed(read: int, expected: int | None) -> None:
    assert judge_completeness(finished=False, read=read, expected=expected) in ("partial", "unreachable")


@given(read=counts, expected=counts)
def test_less_than_was_promised_is_never_complete(read: int, expected: int) -> None:
    verdict = judge_completeness(finished=True, read=read, expected=expected)

    assert (verdict == "complete") == (read >= expected)


@given(read=counts)
def test_without_a_witness_nothing_is_complete(read: int) -> None:
    assert judge_completeness(finished=True, read=read, expected=None) != "complete"


@pytest.mark.parametrize(
    ("read", "expected", "listed", "missing", "verdict"),
    [
        (300, 300, 300, 0, "complete"),
        (300, 300, 200, 0, "complete"),
        (300, None, 300, 0, "complete"),
        (300, None, 298, 0, "complete"),
        (300, None, 0, 0, "plausible"),
        (300, None, None, 0, "plausible"),
        (0, None, 0, 0, "partial"),
        (299, 300, 299, 0, "plausible"),
        (200, 300, 200, 0, "partial"),
        (300, 300, 301, 1, "plausible"),
        (301, 300, 300, 1, "plausible"),
        (300, None, 301, 1, "plausible"),
        (300, 300, 310, 10, "partial"),
        (200, 300, 200, 1, "partial"),
        (0, None, 10, 10, "partial"),
    ],
)
def test_a_harvest_is_held_against_the_portals_own_list(
    *, read: int, expected: int | None, listed: int | None, missing: int, verdict: str
) -> None:
    judged = judge_completeness(
        finished=True, read=read, expected=expected, listed=listed, listed_missing=missing
    )

    assert judged == verdict


@pytest.mark.parametrize(
    ("read", "expected", "listed", "missing", "verdict"),
    [
        (299, 300, 299, 0, "complete"),
        (297, 300, 297, 0, "complete"),
        (299, 300, 290, 0, "plausible"),
        (299, 300, None, 0, "plausible"),
        (290, 300, 290, 0, "partial"),
        (299, 300, 300, 1, "plausible"),
        (0, 0, 0, 0, "complete"),
        (0, 1, 0, 0, "partial"),
    ],
)
def test_a_list_made_independently_outweighs_a_count_that_is_a_little_off(
    *, read: int, expected: int, listed: int | None, missing: int, verdict: str
) -> None:
    judged = judge_completeness(
        finished=True,
        read=read,
        expected=expected,
        listed=listed,
        listed_missing=missing,
        list_is_independent=True,
    )

    assert judged == verdict


@given(
    read=counts,
    expected=st.none() | counts,
    listed=counts,
    missing=st.integers(1, 10**7),
    independent=st.booleans(),
)
def test_one_listed_dataset_that_was_not_read_is_enough_not_to_be_complete(
    *, read: int, expected: int | None, listed: int, missing: int, independent: bool
) -> None:
    judged = judge_completeness(
        finished=True,
        read=read,
        expected=expected,
        listed=listed,
        listed_missing=missing,
        list_is_independent=independent,
    )

    assert judged in ("plausible", "partial")


@given(read=counts, expected=st.none() | counts, listed=counts)
def test_no_list_makes_up_for_a_harvest_that_broke_off(
    *, read: int, expected: int | None, listed: int
) -> None:
    judged = judge_completeness(
        finished=False,
        read=read,
        expected=expected,
        listed=listed,
        listed_missing=0,
        list_is_independent=True,
    )

    assert judged in ("partial", "unreachable")
