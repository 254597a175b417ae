"""Words of the vocabulary are found as words: never inside another one, whatever stands between them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.priorities.wording import Reader, WordList

WORDS = ("ocean", "sea level", "emission*", "greenhouse gas*", "CO2", "été")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ocean currents", {"ocean"}),
        ("OCEAN", {"ocean"}),
        ("oceanic, preocean, oceans", set()),
        ("the ocean's edge", {"ocean"}),
        ("ocean_colour", {"ocean"}),
        ("Sea-Level rise; sea  level", {"sea level"}),
        ("sea levels", set()),
        ("level sea", set()),
        ("sea", set()),
        ("Emissions and EMISSION", {"emission*"}),
        ("remission", set()),
        ("greenhouse gases", {"greenhouse gas*"}),
        ("greenhouse and gas", set()),
        ("co2 (CO2)", {"CO2"}),
        ("Été", {"été"}),
        ("", set()),
    ],
)
def test_an_entry_is_found_as_whole_words_only(text: str, found: set[str]) -> None:
    assert WordList.of(WORDS).found_in([text]) == found


def test_no_entry_reaches_from_one_keyword_into_the_next() -> None:
    assert WordList.of(["sea level"]).found_in(["sea", "level"]) == set()


@given(
    st.lists(st.sampled_from(["sea", "level", "sealevel", "ocean", "x"]), max_size=8),
    st.sampled_from([" ", "-", ", ", "/", "\u2013", "\n"]),
)
def test_it_finds_what_a_regular_expression_with_word_boundaries_finds(
    words: list[str], between: str
) -> None:
    text = between.join(words)
    expected = {
        name
        for name in ("ocean", "sea level", "sea*")
        if re.search(rf"\b{name.replace(' ', r'[^a-z]+').replace('*', '[a-z]*')}\b", text)
    }

    assert WordList.of(["ocean", "sea level", "sea*"]).found_in([text]) == expected


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_no_text_breaks_the_reader(title: str, keywords: list[str]) -> None:
    found = Reader({"ocean": 0.5, "a*": 0.1}, {"climate": 1.0}, ("x",)).read(title, keywords, keywords)

    assert 0 <= found.relevance <= 1


def test_the_strongest_of_words_and_themes_counts_and_topics_go_by_number() -> None:
    reader = Reader({"water": 0.5, "ocean": 0.6}, {"Climate": 0.9}, ("ice", "water"))

    found = reader.read("Ocean water", ["Drinking water"], ["climate", "local climate"])

    assert (found.relevance, found.topics) == (0.9, (2,))
    assert found.because == ("climate", "ocean", "water")


def test_the_fingerprint_is_another_one_for_another_vocabulary() -> None:
    readers = [
        Reader({"ice": 0.5}, {}, ()),
        Reader({"ice": 0.6}, {}, ()),
        Reader({}, {"ice": 0.5}, ()),
        Reader({"ice": 0.5}, {}, ("ice",)),
    ]

    assert len({reader.fingerprint for reader in readers}) == 4
    assert Reader({"ice": 0.5}, {}, ()).fingerprint == readers[0].fingerprint
