"""Cursors: what is handed back is what was given, and whatever else comes is refused in a sentence."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.cursors import LONGEST_CURSOR, BadCursorError, make_cursor, read_cursor

QUESTION = {"organization": "epa-gov", "state": None, "order": "id"}
IDS = st.integers(0, 2**63 - 1)
RANKS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(RANKS, IDS, MOMENTS)
def test_what_was_put_into_a_cursor_comes_out_of_it(rank: float, identity: int, moment: datetime) -> None:
    cursor = make_cursor(QUESTION, [rank, identity, moment])

    assert read_cursor(cursor, QUESTION, float, int, datetime) == (rank, identity, moment)
    assert len(cursor) <= LONGEST_CURSOR
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=400))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BadCursorError, match="leave it out"):
        read_cursor(text, QUESTION, int)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=4))
)
def test_json_that_is_no_cursor_is_refused(value: object) -> None:
    import json

    text = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    with pytest.raises(BadCursorError):
        read_cursor(text, QUESTION, int)


@pytest.mark.parametrize("values", [[], [1, 2], ["1"], [-1], [2**63], [1.5], [True]], ids=str)
def test_a_cursor_with_other_values_than_the_order_has_is_refused(values: list[int | float]) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(make_cursor(QUESTION, values), QUESTION, int)


@pytest.mark.parametrize("values", [[5], ["soon"], ["2026-01-01"]], ids=str)
def test_a_date_in_a_cursor_has_to_be_a_moment(values: list[int]) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(make_cursor(QUESTION, values), QUESTION, datetime)


@pytest.mark.parametrize(
    "other",
    [{"organization": "noaa-gov"}, {"state": "absent"}, {"order": "modified"}, {"organization": None}],
    ids=str,
)
def test_a_cursor_of_another_question_is_refused(other: dict[str, str | None]) -> None:
    cursor = make_cursor(QUESTION, [7])

    with pytest.raises(BadCursorError, match="belongs to another question"):
        read_cursor(cursor, QUESTION | other, int)


def test_a_filter_that_is_left_out_is_the_same_as_none() -> None:
    assert read_cursor(make_cursor({"order": "id", "state": None}, [7]), {"order": "id"}, int) == (7,)
