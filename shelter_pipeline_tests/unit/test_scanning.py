"""What stepping over JSON promises: the same values as a parser finds, whatever stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.portals import scanning
from shelter_pipeline.portals.dcat_catalog import NoCatalogueError, Place, places
from shelter_pipeline.portals.scanning import BrokenError, CutError, Scanner

DEEP = 100_000


@st.composite
def strings(draw: st.DrawFn) -> str:
    value = draw(st.text(max_size=20) | st.sampled_from(['"', "\\", '\\"', "}{][", '"}],[{"', "\\\\"]))
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


spaces = st.text(" \t\r\n", max_size=3)
scalars = st.one_of(
    strings(),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.sampled_from(["null", "true", "false", "-0", "1e5", "NaN", "-Infinity", "1" * 5000]),
)


def lists_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(st.tuples(spaces, values, spaces).map("".join), max_size=4)
    return items.map(lambda written: "[" + ",".join(written) + "]")


def objects_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.tuples(spaces, strings(), spaces, st.just(":"), spaces, values, spaces), max_size=4)
    return members.map(lambda written: "{" + ",".join(map("".join, written)) + "}")


values = st.recursive(scalars, lambda inner: lists_of(inner) | objects_of(inner), max_leaves=12)
windows = st.sampled_from([2, 3, 5, 8, 64, scanning.WINDOW_BYTES])


def found_in(text: bytes) -> list[tuple[str, bytes]]:
    return [(name, text[start:end]) for name, start, end in places(Scanner(text))]


@given(st.lists(values, max_size=5), spaces, windows)
def test_any_value_in_any_style_is_found_as_it_was_written(
    written: list[str], space: str, window: int
) -> None:
    text = (
        f'{{{space}"dataset"{space}:{space}[{space}' + f"{space},{space}".join(written) + f"{space}]{space}}}"
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "WINDOW_BYTES", window)
        found = found_in(text.encode())

    assert found == [("dataset", one.encode()) for one in written]


@given(values, windows)
def test_a_value_ends_where_it_ends_and_is_cut_before_that(written: str, window: int) -> None:
    text = written.encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "WINDOW_BYTES", window)
        ends = Scanner(text + b" ").value_end(0)
        cut = text[:-1]
        if text[:1] in (b'"', b"[", b"{"):
            with pytest.raises(CutError):
                Scanner(cut).value_end(0)

    assert ends == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[1, {}]", [("dataset", b"1"), ("dataset", b"{}")]),
        (b'{"dataset": {"a": 1}}', [("dataset", b'{"a": 1}')]),
        (b'{"dataset": null, "service": [null]}', [("service", b"null")]),
        (
            b'{"dataset": [1], "x": [{"dataset": [9]}], "dataset": [2]}',
            [("dataset", b"1"), ("dataset", b"2")],
        ),
        (b'{"d\\u0061taset": ["escaped"]}', [("dataset", b'"escaped"')]),
        (
            b'{"catalog": [{"service": [1], "catalog": {"datasetSeries": [2]}}, 3, [4]], "dataset": [5]}',
            [
                ("service", b"1"),
                ("datasetSeries", b"2"),
                ("dataset", b"3"),
                ("dataset", b"[4]"),
                ("dataset", b"5"),
            ],
        ),
        (b'{"@graph": [{"@id": "a"}], "record": [{}]}', [("@graph", b'{"@id": "a"}')]),
        (b' {"identifier": "one"}\n\0\0', [("", b'{"identifier": "one"}')]),
        (
            b'{"dataset": [1 2,, 3,], "catalog": null,}',
            [("dataset", b"1"), ("dataset", b"2"), ("dataset", b"3")],
        ),
    ],
)
def test_a_record_is_found_wherever_it_stands(text: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert found_in(text) == expected


@pytest.mark.parametrize("text", [b"3", b'"text"', b" null ", b"NaN"])
def test_a_document_that_is_no_object_and_no_list_is_no_catalogue(text: bytes) -> None:
    with pytest.raises(NoCatalogueError):
        found_in(text)


@pytest.mark.parametrize(
    ("text", "given_before", "offset"),
    [
        (b"hello", 0, 0),
        (b"3 4", 0, 2),
        (b'{"dataset": [1, x, 2]}', 1, 16),
        (b'{"dataset": [{}}, {}]}', 1, 15),
        (b'{"dataset": [{"a": {}, {}]}', 0, 25),
        (b'{"dataset": [1], nothing}', 1, 17),
        (b'{"dataset" [1]}', 0, 11),
        (b'{"dataset": [1]} <br>', 1, 17),
        (b'[1, "a": 2]', 2, 7),
    ],
)
def test_a_structure_that_breaks_is_named_by_its_byte_after_what_stands_before_it(
    text: bytes, given_before: int, offset: int
) -> None:
    found: list[Place] = []

    with pytest.raises(BrokenError) as end:  # noqa: PT012 - what came before the error counts
        for place in places(Scanner(text)):
            found.append(place)  # noqa: PERF402

    assert (len(found), end.value.offset) == (given_before, offset)
    assert f"byte {offset}" in str(end.value)


def test_a_value_with_a_bracket_too_few_inside_it_ends_where_its_own_bracket_closes() -> None:
    text = b'{"dataset": [{"a": [1, {"b": 2], "c": [3}, {"d": 4}]}'

    assert found_in(text) == [("dataset", b'{"a": [1, {"b": 2], "c": [3}'), ("dataset", b'{"d": 4}')]


@pytest.mark.parametrize(
    "text",
    [
        b'{"x": ' + b"[" * DEEP + b"]" * DEEP + b', "dataset": [1]}',
        b'{"x": ' + b'{"x":' * DEEP + b"1" + b"}" * DEEP + b', "dataset": [1]}',
        b'{"catalog": ' * DEEP + b'{"dataset": [1]}' + b"}" * DEEP,
        b'{"catalog": [' * DEEP + b'{"dataset": [1]}' + b"]}" * DEEP,
    ],
)
def test_no_document_is_too_deep_to_be_walked(text: bytes) -> None:
    assert found_in(text) == [("dataset", b"1")]


def test_what_is_deeper_than_any_document_is_given_up_and_not_remembered() -> None:
    with pytest.raises(BrokenError, match="brackets inside one another"):
        Scanner(b"[" * (scanning.MOST_DEEP + 10)).value_end(0)


def test_a_string_of_many_megabytes_is_stepped_over() -> None:
    text = b'{"x": "' + b'\\"}{' * 8_000_000 + b'", "dataset": [1]}'

    assert found_in(text) == [("dataset", b"1")]


def test_a_long_key_is_not_taken_for_a_short_one() -> None:
    text: dict[str, Any] = {"dataset" * 100: [1], "dataset": [2]}

    assert found_in(json.dumps(text).encode()) == [("dataset", b"2")]
