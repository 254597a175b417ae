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
