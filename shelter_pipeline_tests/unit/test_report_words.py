"""What reports are made of: cells that no spreadsheet runs, pictures of counts, sentences."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.losses import KINDS, STATES
from shelter_pipeline.domain.verdict_words import HARVESTS, VERDICTS, harvest_words, in_words, verdict_words
from shelter_pipeline.domain.verdicts import REASONS, Verdict
from shelter_pipeline.operations.report_tables import defused
from shelter_pipeline.presentation.charts import daily, rising
from shelter_pipeline.presentation.standing import where_it_stands
from shelter_pipeline.presentation.words import number, size

ACTING = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
DAYS = st.lists(
    st.tuples(st.dates(date(2020, 1, 1), date(2027, 1, 1)), st.integers(0, 2**50)),
    max_size=30,
    unique_by=lambda day: day[0],
).map(sorted)
TOTALS = {
    "datasets": 3,
    "files": 10,
    "held_files": 4,
    "held_bytes": 1500,
    "waiting_files": 3,
    "resting_files": 1,
    "failed_files": 2,
    "undiscovered_links": 0,
}


@given(text=st.text(alphabet=st.sampled_from([*ACTING, "'", "a", "1"])) | st.text())
def test_no_cell_begins_as_a_formula_and_every_cell_can_be_restored(text: str) -> None:
    cell = defused(text)

    assert cell[:1] not in ACTING or not cell
    changed = cell.startswith("'") and cell.lstrip("'")[:1] in ACTING and cell.lstrip("'") != ""
    assert (cell[1:] if changed else cell) == text


@given(days=DAYS)
def test_pictures_of_any_days_are_well_formed_and_within_their_frame(days: list[tuple[date, int]]) -> None:
    for picture in (rising(days, label='Bytes <"&', unit=size), daily(days, label="Files", unit=number)):
        if not days:
            assert picture == ""
            continue
        drawn = ET.fromstring(str(picture))  # noqa: S314 - our own
        assert drawn.get("role") == "img"
        assert drawn.get("aria-label")
        for bar in drawn.iter("rect"):
            assert 0 <= float(bar.get("y", "")) <= 220
            assert float(bar.get("height", "")) >= 0


def test_many_days_are_drawn_together() -> None:
    days = [(date(2020, 1, 1) + timedelta(days=number), 1) for number in range(2000)]

    picture = str(daily(days, label="Files", unit=number))

    assert picture.count("<rect") <= 240
    assert "in 9 days" in picture


def test_every_word_of_the_catalog_has_a_sentence() -> None:
    words = [
        *REASONS,
        *Verdict,
        *STATES,
        *KINDS,
        "held",
        "pending",
        "failed",
        "dead",
        "found-in-part",
    ]

    assert [word for word in words if not in_words(word).endswith(".")] == []
    assert [harvest_words(word) for word in ("complete", "partial")] == [
        HARVESTS["complete"],
        HARVESTS["partial"],
    ]
    for word in VERDICTS.keys() & REASONS.keys():  # a file may be empty, and an organization
        assert verdict_words(word) != in_words(word)
    assert in_words("interrupted") != harvest_words("interrupted")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            (
                "4 of 10 files are held, whole and verified (40.0 %, 1.5 kB). 3 wait for their turn; 1 failed for a"
                " while and is tried again; 2 could not be had."
            ),
        ),
        (
            {"files": 4, "waiting_files": 0, "resting_files": 0, "failed_files": 0},
            "All 4 files that are known are held, whole and verified (1.5 kB).",
        ),
        (
            {"files": 0, "undiscovered_links": 7},
            (
                "3 datasets are known, and none of their links was found to lead to a"
                " file; 7 links are still to be followed."
            ),
        ),
        ({"datasets": 0}, "No dataset is known yet: no portal was read, or none of this scope."),
    ],
)
def test_where_a_rescue_stands_is_said_in_a_sentence(changes: dict[str, int], sentence: str) -> None:
    assert where_it_stands(TOTALS | changes) == sentence
