"""What differs between two records is told field by field, and nothing is told of equal ones."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.changes import (
    DEEPEST,
    LONGEST_SHOWN,
    VOLATILE,
    Change,
    differences,
    is_substantive,
    record_differences,
)
from shelter_pipeline.domain.records import canonical_json
from shelter_pipeline.domain.volatile import VOLATILE_IN_CKAN, VOLATILE_IN_DATAGOV

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def nested(depth: int, core: Any = 1) -> Any:
    value = core
    for _ in range(depth):
        value = {"a": value}
    return value


def paths(before: Any, after: Any) -> list[str]:
    return [change.path for change in differences(before, after)]


@given(values)
def test_nothing_differs_between_equal_values(value: Any) -> None:
    assert differences(value, json.loads(json.dumps(value))) == ()


@given(values, values)
def test_any_two_values_are_compared_and_the_answer_fits_a_database(one: Any, other: Any) -> None:
    changes = differences(one, other)

    written = msgspec.json.encode(changes).decode()
    assert json.loads(written) == [msgspec.to_builtins(change) for change in changes]
    assert "\\u0000" not in written.replace("\\\\", "")


@given(st.dictionaries(st.text(), scalars), st.text(), st.integers())
def test_a_field_that_is_set_anew_is_the_one_change(record: dict[str, Any], name: str, value: int) -> None:
    before = record | {name: "before"}

    assert len(differences(before, record | {name: value})) == 1


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"title": "a"}, {"title": "b"}, [Change("title", "a", "b")]),
        ({}, {"title": "b"}, [Change("title", after="b")]),
        ({"title": "a"}, {}, [Change("title", before="a")]),
        ({"title": None}, {}, [Change("title", before=None)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [Change("a.b.c", 1, 2)]),
        ({"a": 1}, {"a": 1.0}, [Change("a", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [Change("a", 1, after=True)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [Change("a[1]", 2, 3), Change("a[2]", after=4)]),
        ({"a": {"b": 1}}, {"a": "b"}, [Change("a", '{"b":1}', "b")]),
        ("text", {"a": 1}, [Change("$", "text", '{"a":1}')]),
    ],
)
def test_each_field_that_differs_is_named(before: Any, after: Any, changes: list[Change]) -> None:
    assert list(differences(before, after)) == changes


@pytest.mark.parametrize("name", ["@id", "identifier", "id", "downloadURL", "accessURL", "title"])
def test_objects_are_matched_by_what_identifies_them(name: str) -> None:
    before = {"distribution": [{name: "a", "format": "CSV"}, {name: "b", "format": "XML"}]}
    after = {"distribution": [{name: "new"}, {name: "a", "format": "CSV"}, {name: "b", "format": "JSON"}]}

    assert list(differences(before, after)) == [
        Change("distribution[0]", after=canonical_json({name: "new"}).decode()),
        Change("distribution[1].format", "XML", "JSON"),
    ]


def test_objects_of_which_one_has_no_identity_are_matched_by_position() -> None:
    before = {"distribution": [{"id": "a", "format": "CSV"}, {"format": "XML"}]}
    after = {"distribution": [{"id": "b", "format": "CSV"}, {"format": "XML"}]}

    assert paths(before, after) == ["distribution[0].id"]


def test_a_keyword_put_first_is_one_change_and_not_one_for_each_that_follows() -> None:
    before, after = {"keyword": ["air", "water"]}, {"keyword": ["soil", "air", "water"]}

    assert list(differences(before, after)) == [Change("keyword[0]", after="soil")]


def test_a_list_in_another_order_is_told_as_its_order() -> None:
    assert list(differences({"keyword": ["air", "water"]}, {"keyword": ["water", "air"]})) == [
        Change("keyword[]", "air, water", "water, air")
    ]


def test_what_a_search_index_folded_into_text_is_compared_field_by_field() -> None:
    before = {"distribution": ['{"title": "a", "format": "CSV"}']}
    after = {"distribution": [{"format": "XML", "title": "a"}]}

    assert list(differences(before, after)) == [Change("distribution[0].format", "CSV", "XML")]


def test_fields_that_are_ignored_are_passed_over_at_the_top_alone() -> None:
    before, after = {"score": 1, "a": {"score": 1}}, {"score": 2, "a": {"score": 2}}

    assert [change.path for change in differences(before, after, ignored={"score"})] == ["a.score"]


@pytest.mark.parametrize("depth", [DEEPEST + 1, 100_000])
def test_what_differs_too_deeply_is_a_change_of_the_whole_record(depth: int) -> None:
    (change,) = differences({"title": "a", "x": nested(depth)}, {"title": "b", "x": nested(depth, 2)})

    assert change.path == "$"
    assert len(str(change.before)) <= LONGEST_SHOWN


def test_what_is_deep_and_equal_is_no_change() -> None:
    assert paths({"x": nested(100_000), "title": "a"}, {"x": nested(100_000), "title": "b"}) == ["title"]


@pytest.mark.parametrize("raw", [b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"not json", b"\xff", b"[NaN]"])
def test_a_record_that_no_parser_takes_is_compared_as_text(raw: bytes) -> None:
    (change, *_) = record_differences(raw, b'{"title":"b"}')

    assert change.path == "$"
    assert record_differences(raw, raw) == ()


def test_no_more_than_the_limit_is_told_and_the_whole_stands_for_the_rest() -> None:
    before = {f"field-{number}": 1 for number in range(300)}

    changes = differences(before, dict.fromkeys(before, 2), limit=20)

    assert len(changes) == 20
    assert sum(change.path == "$" for change in changes) == 1
    assert is_substantive(changes)


def test_long_texts_are_shown_around_what_differs() -> None:
    (change,) = differences({"a": "x" * 2000 + "before"}, {"a": "x" * 2000 + "after"})

    assert change.before.endswith("before")
    assert change.after.endswith("after")
    assert len(change.before) <= LONGEST_SHOWN


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", 10**5000, float("inf"), [["\x00"]]], ids=range(5))
def test_what_no_database_keeps_is_shown_in_another_way(value: Any) -> None:
    (change,) = differences({"a": 1}, {"a": value})

    written = msgspec.json.encode(change).decode()
    assert "\\u0000" not in written.replace("\\\\", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"modified": "2026-01-01"}, {"modified": "2026-02-01"}),
        ({"dcat": {"modified": "2026-01-01"}}, {"dcat": {}}),
        (
            {"resources": [{"id": "a", "last_modified": "1"}]},
            {"resources": [{"id": "a", "last_modified": "2"}]},
        ),
        ({"title": " Air  quality\n"}, {"title": "Air quality"}),
        (
            {"contactPoint": {"hasEmail": "mailto:A@epa.gov"}},
            {"contactPoint": {"hasEmail": "mailto:a@EPA.gov"}},
        ),
        ({"keyword": ["a", "b"]}, {"keyword": ["b", "a"]}),
        ({"views": 1}, {"views": 2}),
        ({}, {}),
    ],
)
def test_clerical_changes_are_not_substantive(before: Any, after: Any) -> None:
    assert not is_substantive(differences(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"title": "Air quality"}, {"title": "AIR QUALITY"}),
        ({"title": "Air quality"}, {"title": "Airquality"}),
        ({"modified": "2026-01-01", "title": "a"}, {"modified": "2026-02-01", "title": "b"}),
        (
            {"contactPoint": {"hasEmail": "mailto:a@epa.gov"}},
            {"contactPoint": {"hasEmail": "mailto:b@epa.gov"}},
        ),
        ({"distribution": [{"downloadURL": "a"}]}, {"distribution": []}),
        ({"description": "x" * 600 + " a"}, {"description": "x" * 600}),
    ],
)
def test_any_other_change_is_substantive(before: Any, after: Any) -> None:
    assert is_substantive(differences(before, after))


def test_what_drivers_leave_out_of_the_hash_is_left_out_of_the_changes() -> None:
    left_out = (VOLATILE_IN_DATAGOV | VOLATILE_IN_CKAN) - {"organization"}

    assert left_out <= VOLATILE
    for name in left_out:
        assert record_differences(canonical_json({name: 1}), canonical_json({name: 2})) == (), name


def test_of_an_organization_only_its_name_counts() -> None:
    def record(slug: str, logo: str) -> bytes:
        return canonical_json({"organization": {"slug": slug, "logo": logo}, "popularity": 1})

    assert record_differences(record("epa", "a.png"), record("epa", "b.png")) == ()
    assert record_differences(record("epa", "a.png"), record("noaa", "a.png")) == (
        Change("organization", "epa", "noaa"),
    )


def test_what_a_harvester_writes_into_extras_is_no_change() -> None:
    def record(job: str, spatial: str) -> bytes:
        return canonical_json(
            {"extras": [{"key": "harvest_job_id", "value": job}, {"key": "spatial", "value": spatial}]}
        )

    assert record_differences(record("1", "here"), record("2", "here")) == ()
    assert [change.path for change in record_differences(record("1", "here"), record("2", "there"))] == [
        "extras[0].value"
    ]
