"""What reading one field promises: a storable value or None, and a note for what was odd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.portals import fields
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import Notes

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("  a title\n", "a title"),
        ({"de": "Arbeitslose", "en": "Unemployed"}, "Unemployed"),
        ({"de": "Arbeitslose", "en": "", "fr": ""}, "Arbeitslose"),
        ({"en": "", "de": ""}, None),
        ({"@value": "2021-04-26", "@type": "xsd:date"}, "2021-04-26"),
        ({"@type": "org:Organization", "name": "GSA"}, "GSA"),
        ({"@id": "https://census.gov/"}, "https://census.gov/"),
    ],
)
def test_text_is_found_in_every_shape_without_a_note(
    notes: Notes, value: object, expected: str | None
) -> None:
    assert fields.text(value, "title", notes) == expected
    assert notes.taken() == ()


@pytest.mark.parametrize(
    ("value", "expected", "problem"),
    [
        (707, "707", "a number"),
        (True, "true", "a truth value"),
        (["one", "two"], "one", "a list"),
        ({"a": {"b": 1}}, None, "an object without a name"),
        ("nul\x00l", "null", "NUL"),
        ("half \ud800 pair", "half \ufffd pair", "surrogate"),
    ],
)
def test_odd_text_is_kept_with_a_note(
    notes: Notes, value: object, expected: str | None, problem: str
) -> None:
    assert fields.text(value, "title", notes) == expected
    assert [note.field for note in notes.taken()] == ["title"]
    assert problem in notes.taken()[0].problem


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2011-12-15", datetime(2011, 12, 15, tzinfo=UTC)),
        ("2019-09-30 22:00:00", datetime(2019, 9, 30, 22, tzinfo=UTC)),
        ("2023-11-16T21:38:25.152Z", datetime(2023, 11, 16, 21, 38, 25, 152000, tzinfo=UTC)),
        (
            "2022-11-07T15:52:41-05:00",
            datetime(2022, 11, 7, 15, 52, 41, tzinfo=timezone(timedelta(hours=-5))),
        ),
        ("2020-11-10T11:00:00.7194991", datetime(2020, 11, 10, 11, 0, 0, 719499, tzinfo=UTC)),
        ({"@type": "xsd:date", "@value": "2002-01-01"}, datetime(2002, 1, 1, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_iso_dates_are_read_as_they_stand(notes: Notes, value: object, expected: datetime | None) -> None:
    assert fields.moment(value, "modified", notes) == expected
    assert notes.taken() == ()


@pytest.mark.parametrize("value", ["2015", "2015-01", 2015])
def test_an_imprecise_date_is_its_first_day_with_a_note(notes: Notes, value: object) -> None:
    assert fields.moment(value, "modified", notes) == datetime(2015, 1, 1, tzinfo=UTC)
    assert "imprecise" in notes.taken()[0].problem


@pytest.mark.parametrize(
    "value",
    [
        "R/P1W",
        "R/PT1S",
        "01/02/2015",
        "mar, 10/12/2019 - 09:23",
        "2015-02-30",
        "2015-01-01/2016-01-01",
        "soon",
        True,
        [],
    ],
)
def test_what_is_no_date_is_never_made_one(notes: Notes, value: object) -> None:
    assert fields.moment(value, "modified", notes) is None
    assert len(notes.taken()) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10004794304, 10004794304),
        ("12323", 12323),
        ("42 octets", 42),
        ("1,024 bytes", 1024),
        (7.0, 7),
        (None, None),
        ("", None),
    ],
)
def test_a_count_of_bytes_is_read(notes: Notes, value: object, expected: int | None) -> None:
    assert fields.size(value, "size", notes) == expected
    assert notes.taken() == ()


@pytest.mark.parametrize(
    "value",
    ["3.5 MB", "1,5", "12,34,567", ",5", "large", -1, 2**63, True, 1.5, float("1e300"), ["1"], "9" * 5000],
)
def test_a_rounded_or_impossible_size_is_no_size(notes: Notes, value: object) -> None:
    assert fields.size(value, "size", notes) is None
    assert len(notes.taken()) == 1


@pytest.mark.parametrize(
    ("algorithm", "value", "expected"),
    [
        (None, "43F32BFF94876BD377627BF8AF89A692", "md5:43f32bff94876bd377627bf8af89a692"),
        (None, "sha1:" + "a" * 40, "sha1:" + "a" * 40),
        ("http://spdx.org/rdf/terms#checksumAlgorithm_sha256", "b" * 64, "sha256:" + "b" * 64),
        ("SHA-256", "b" * 64, "sha256:" + "b" * 64),
        ({"@id": "spdx:checksumAlgorithm_md5"}, "c" * 32, "md5:" + "c" * 32),
    ],
)
def test_a_checksum_says_its_algorithm(notes: Notes, algorithm: object, value: str, expected: str) -> None:
    assert fields.checksum(algorithm, value, "hash", notes) == expected


@pytest.mark.parametrize(
    ("algorithm", "value"), [(None, "abc"), ("sha256", "a" * 32), (None, "not hex at all")]
)
def test_a_checksum_of_no_known_kind_is_none(notes: Notes, algorithm: object, value: str) -> None:
    assert fields.checksum(algorithm, value, "hash", notes) is None
    assert len(notes.taken()) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "b", "a", None, ""], ("a", "b")),
        ("a, b; c", ("a", "b", "c")),
        ([{"name": "water", "display_name": "Water"}], ("water",)),
        ({"en": [], "de": ["abstimmung", "kantonal"]}, ("abstimmung", "kantonal")),
        ([{"@id": "x", "prefLabel": "Geospatial"}], ("Geospatial",)),
        (None, ()),
    ],
)
def test_keywords_are_found_in_every_shape(notes: Notes, value: object, expected: tuple[str, ...]) -> None:
    assert fields.texts(value, "keyword", notes) == expected


def test_the_same_trouble_in_ten_resources_is_one_note(notes: Notes) -> None:
    for _ in range(10):
        notes.add("size", "not a count of bytes", "3 MB")

    assert len(notes.taken()) == 1


def test_mended_bytes_are_noted_by_field() -> None:
    record, noted = mend({"title": b"caf\xe9".decode("utf-8", "surrogateescape"), "keyword": ["a"]})

    assert record == {"title": "café", "keyword": ["a"]}
    assert [note.field for note in noted] == ["title"]


@given(value=ANY_JSON)
def test_no_value_whatever_makes_a_field_raise_or_unstorable(value: object) -> None:
    notes = Notes()

    found = [
        fields.text(value, "f", notes),
        *fields.texts(value, "f", notes),
        *fields.named_parts(value, "f", notes),
        fields.checksum(value, value, "f", notes),
    ]
    fields.moment(value, "f", notes)
    fields.size(value, "f", notes)
    fields.count(value, "f", notes)
    fields.listed(value, "f", notes)

    for item in [*found, *(note.value for note in notes.taken())]:
        assert item is None or ("\x00" not in item and item.encode() is not None)


@given(st.text(st.characters(codec=None)))
def test_every_text_comes_out_storable_and_what_was_storable_comes_out_as_it_was(value: str) -> None:
    notes = Notes()

    found = fields.text(value, "title", notes)

    plain = not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)
    assert found is None or (found.encode() and "\x00" not in found)
    assert (notes.taken() == ()) is plain
    assert not plain or found == (value.strip() or None)
