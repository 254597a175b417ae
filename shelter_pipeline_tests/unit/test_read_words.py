"""Words of searches taken apart, marks in what was found, and where a file stands in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.asset_words import where_it_stands
from shelter_pipeline.domain.search_words import read_marks, take_apart
from shelter_pipeline.domain.verdicts import REASONS


@pytest.mark.parametrize(
    ("typed", "words", "prefix"),
    [
        ("temperat", "", "temperat"),
        ("sea surface temperat", "sea surface", "temperat"),
        ("air-qual", "", "air-qual"),
        ("Meteorologie élé", "Meteorologie", "élé"),
        ("sea ", "sea ", ""),  # a space says that the word is whole
        ("to", "to", ""),  # the beginning of too much
        ('"sea surf', '"sea surf', ""),
        ('"sea surface"', '"sea surface"', ""),
        ("sea -ice", "sea -ice", ""),
        ("cats or dogs", "cats or dogs", ""),
        ("rain OR snow", "rain OR snow", ""),
        ("a' & !b:*", "a' & !b:*", ""),
        ("", "", ""),
    ],
)
def test_the_last_word_is_a_beginning_where_it_can_be(typed: str, words: str, prefix: str) -> None:
    assert take_apart(typed) == (words, prefix)


@given(st.text())
def test_a_beginning_holds_nothing_that_a_query_would_read_as_its_own(typed: str) -> None:
    words, prefix = take_apart(typed)

    assert all(character.isalnum() or character == "-" for character in prefix)
    assert (f"{words} {prefix}" if words else prefix) == typed or (words, prefix) == (
        typed,
        "",
    )  # nothing is lost


@given(
    st.lists(
        st.tuples(
            st.text(alphabet="ab ü😀<>", max_size=5), st.text(alphabet="xy 漢&", min_size=1, max_size=5)
        )
    )
)
def test_marks_are_where_the_words_stand_and_the_text_is_plain(pieces: list[tuple[str, str]]) -> None:
    marked = read_marks("".join(f"{before}\x02{word}\x03" for before, word in pieces), "\x02", "\x03")

    assert marked.text == "".join(before + word for before, word in pieces)
    assert [marked.text[first:last] for first, last in marked.marks] == [word for _, word in pieces]


@given(st.text(alphabet="a\x02\x03", max_size=12))
def test_marks_that_are_broken_off_do_no_harm(text: str) -> None:
    marked = read_marks(text, "\x02", "\x03")

    assert marked.text == text.replace("\x02", "").replace("\x03", "")
    assert all(0 <= first < last <= len(marked.text) for first, last in marked.marks)


@pytest.mark.parametrize("state", ["pending", "held", "failed", "dead"])
@pytest.mark.parametrize("reason", [None, *REASONS])
def test_where_a_file_stands_is_said_in_a_sentence(state: str, reason: str | None) -> None:
    sentence = where_it_stands(state, reason)

    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ("is held here" in sentence) == (state == "held")


def test_words_of_a_newer_version_are_given_as_they_are() -> None:
    assert where_it_stands("failed", "new-reason") == "It is not held: new-reason."
    assert where_it_stands("frozen", None) == "frozen"
