"""Queries in Solr's language: what catalogue tools write is understood, and the rest refused by name."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.ckan_ids import Kind, number_in, own_id
from shelter_pipeline.domain.ckan_query import (
    Anything,
    Beginning,
    Between,
    Clause,
    QueryError,
    Words,
    moment_of,
    parse_query,
)

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def words(*texts: str, field: str = "text", negated: bool = False, phrase: bool = False) -> Clause:
    return Clause(field, tuple(Words(text, phrase) for text in texts), negated)


@pytest.mark.parametrize(
    ("query", "clauses"),
    [
        ("", []),
        ("  ", []),
        ("*:*", []),
        ("*", []),
        ("air quality", [words("air"), words("quality")]),
        ("air AND quality", [words("air"), words("quality")]),
        ("air OR water", [words("air", "water")]),
        ("air || water", [words("air", "water")]),
        ('"air quality"', [words("air quality", phrase=True)]),
        ("-air", [words("air", negated=True)]),
        ("NOT air", [words("air", negated=True)]),
        ("!air", [words("air", negated=True)]),
        ("ground-level co2", [words("ground-level"), words("co2")]),
        ("hydro*", [Clause("text", (Beginning("hydro"),))]),
        ("air^2 water~0.8", [words("air"), words("water")]),
        (r"a\:b c\"d", [words("a:b"), words('c"d')]),
        ("organization:noaa-gov", [words("noaa-gov", field="organization")]),
        ("owner_org:noaa-gov", [words("noaa-gov", field="organization")]),
        ("+organization:a +tags:b", [words("a", field="organization"), words("b", field="tags")]),
        ("organization:(a OR b)", [words("a", "b", field="organization")]),
        ("organization:a OR organization:b", [words("a", "b", field="organization")]),
        ("tags:(a AND b)", [words("a", field="tags"), words("b", field="tags")]),
        ('-tags:("a b" OR c)', [Clause("tags", (Words("a b", True), Words("c")), negated=True)]),
        ('id:"x-1" OR name:"x-1"', [Clause("id", (Words("x-1", True), Words("x-1", True)))]),
        ("res_format:*", [Clause("res_format", (Anything(),))]),
        (
            "metadata_modified:[2026-01-01T00:00:00Z TO *]",
            [Clause("metadata_modified", (Between("2026-01-01T00:00:00Z", "*"),))],
        ),
        (
            "metadata_modified:{NOW-7DAYS TO NOW}",
            [Clause("metadata_modified", (Between("NOW-7DAYS", "NOW", False, False),))],
        ),
        ("http://a.example/x", [Clause("http", (Words("//a.example/x"),))]),
        ("(air)", [words("air")]),
        ("(-air)", [words("air", negated=True)]),
    ],
)
def test_what_tools_write_is_understood(query: str, clauses: list[Clause]) -> None:
    assert list(parse_query(query)) == clauses


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("organization:a OR tags:b", "OR is supported"),
        ("a OR -b", "OR is supported"),
        ("-(a b)", "cannot be negated"),
        ("(a", "not closed"),
        ("a)", "not opened"),
        ("tags:", "missing"),
        ("a AND", "missing"),
        ("OR a", "misplaced"),
        ("tags:(a b:c)", "within the parentheses"),
        ('"a', "cannot be read"),
        ("tags:[a TO", "cannot be read|missing|misplaced"),
        ("*air", "end of a word"),
        ("{!lucene}a", "local parameters"),
        ("(" * 50 + "a" + ")" * 50, "deeply"),
        ("a " * 3000, "characters"),
        ("a " * 200, "conditions"),
    ],
)
def test_what_is_not_understood_is_refused_and_never_let_through(query: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        parse_query(query)


@given(st.text() | st.from_regex(r'([-+!]?(a|tags|\*)?:?[("\[*]?[ab]? ?(AND|OR|TO|NOT)? ?[)"\]*]?){0,12}\Z'))
def test_whatever_is_written_ends_in_clauses_or_a_refusal(query: str) -> None:
    with suppress(QueryError):
        assert all(clause.values for clause in parse_query(query))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("*", None),
        ("NOW", NOW),
        ("NOW-7DAYS", NOW - timedelta(days=7)),
        ("NOW/DAY", NOW),
        ("NOW+1HOUR/DAY", NOW + timedelta(hours=1)),
        ("2026-01-31T00:00:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T01:00:00.123456+01:00", datetime(2026, 1, 31, microsecond=123456, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_bound_of_dates_is_read_as_solr_reads_it(text: str, moment: datetime | None) -> None:
    assert moment_of(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "NOW-999999YEARS", "0001-01-01T00:00:00+23:00", "", "2026-13-01"]
)
def test_a_bound_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="is no date"):
        moment_of(text, NOW)


@given(st.sampled_from(Kind), st.integers(1, 2**47))
def test_an_id_of_ours_gives_its_number_back_and_only_for_its_kind(kind: Kind, number: int) -> None:
    identity = own_id(kind, number)

    assert [number_in(other, identity) for other in Kind] == [
        number if other is kind else None for other in Kind
    ]


@pytest.mark.parametrize(
    "text",
    ["", "00000000000c", "7368656c-7465-8204-8000-00000000000", "7368656c-7465-8204-8000-0x0000000_1c"],
)
def test_another_text_is_no_id_of_ours(text: str) -> None:
    assert number_in(Kind.DATASET, text) is None
