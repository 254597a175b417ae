"""Search as researchers use it: words, phrases, beginnings, links; and whatever else is typed into it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelter_pipeline.api.shapes import Found
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.search import (
    SearchFilters,
    Words,
    index_changed_datasets,
    index_new_datasets,
    search_datasets,
    snippets,
)
from shelter_pipeline.domain.search_words import take_apart
from shelter_pipeline_tests.api.shelves import FAILED, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.naughty_strings import NAUGHTY_STRINGS
from shelter_pipeline_tests.support.records import a_dataset, a_portal, harvested

RAIN, SNOW, WIND = "Daily rainfall of Alaska", "Snow depth", "Winds aloft"
SEARCHES = {
    "rain": [RAIN, SNOW],  # in a title before in a description, and `rains` is the same word
    "gauge": [RAIN],
    "rainf": [RAIN],
    "snow dep": [SNOW],
    '"depth snow"': [],
    '"snow depth"': [SNOW],
    "rain -snow": [RAIN],
    "wind or snow": [SNOW, WIND],
    "NOAA": [RAIN, SNOW],  # by its organization
    "climate": [RAIN],  # by a keyword
    "the": [],
    "   ": [],
    "nothingofthekind": [],
}


def found(api: ApiUnderTest, q: str, **more: Any) -> dict[str, Any]:
    answer = api.get("/datasets/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    Found.model_validate(answer.json(), strict=False)
    body: dict[str, Any] = answer.json()
    return body


def titles(api: ApiUnderTest, q: str, **more: Any) -> list[str]:
    return [item["title"] for item in found(api, q, **more)["items"]]


def test_words_phrases_beginnings_and_exclusions_find_what_they_say(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)

    searched = {q: titles(api, q) for q in SEARCHES}
    listed = api.get("/datasets", params={"q": "rain", "organization": "noaa-gov"}).json()

    assert {q: sorted(one) for q, one in searched.items()} == {q: sorted(one) for q, one in SEARCHES.items()}
    assert searched["rain"] == SEARCHES["rain"]
    assert [item["title"] for item in listed["items"]] == SEARCHES["rain"]
    assert titles(api, "rain", organization="epa-gov") == []
    assert titles(api, "rain", kind="dataset", portal="portal-example", state="listed") == SEARCHES["rain"]
    assert titles(api, "rain", state="absent") == []
    assert titles(api, "rain", modified_since="2000-01-01") == []


def test_results_come_with_every_letter_of_a_word(api: ApiUnderTest, catalog: Catalog) -> None:
    harvested(catalog, a_portal(catalog), [a_dataset("a", title="Bathymetry of a lake"), a_dataset("b")])
    word = "bathymetry"  # which is kept as `bathymetri`, and English makes `bathi` of `bathy`

    typed = [word[:length] for length in range(3, len(word) + 1)]

    assert [titles(api, f"lake {q}") for q in typed] == [["Bathymetry of a lake"]] * len(typed)
    assert [found(api, q)["items"][0]["title_marks"] for q in typed] == [[[0, len(word)]]] * len(typed)
    assert titles(api, "lake the") == titles(api, "lake of") == titles(api, "lake")


def test_words_are_marked_in_a_text_that_is_plain(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog, a_dataset("odd", title="A \x02rain\x03 <i>dance</i>", description="x"))

    hits = {
        item["title"]: item for item in found(api, "rain gauge")["items"] + found(api, "rain dance")["items"]
    }

    rain = hits[RAIN]
    assert rain["snippet"] == "Rain gauges measured the precipitation of  every  day."
    assert [rain["snippet"][first:last] for first, last in rain["snippet_marks"]] == ["Rain", "gauges"]
    odd = hits["A \x02rain\x03 <i>dance</i>"]
    plain = "A rain <i>dance</i>"
    assert [plain[first:last] for first, last in odd["title_marks"]] == ["rain", "dance"]


def test_a_link_a_slug_or_an_identifier_finds_its_dataset(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    for typed in (FAILED, "dataset-snow", "snow", f" {FAILED} "):
        assert [item["title"] for item in found(api, typed)["exact"]] == [SNOW]
    assert found(api, "rain gauge")["exact"] == []


def test_pages_of_results_hold_each_once_and_best_first(api: ApiUnderTest, catalog: Catalog) -> None:
    records = [
        a_dataset(str(number), title=f"Sea level {number}", description="sea " * (number % 5))
        for number in range(23)
    ]
    harvested(catalog, a_portal(catalog), records)

    seen: list[dict[str, Any]] = []
    page = found(api, "sea", limit=5)
    while True:
        seen += page["items"]
        if page["next"] is None:
            break
        page = found(api, "sea", limit=5, after=page["next"])

    assert len(seen) == len({item["id"] for item in seen}) == 23
    assert [item["rank"] for item in seen] == sorted((item["rank"] for item in seen), reverse=True)
    assert (page["ranked"], page["more"]) == (23, False)


def test_a_changed_record_is_found_by_its_new_words_after_its_harvest(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("a", title="Old oysters"), a_dataset("b", title="Mussels")])

    def found_by(word: str) -> list[str]:
        hits = search_datasets(catalog, Words(word), SearchFilters(), after=None, limit=10)
        return [card["title"] for card in hits.cards]

    assert index_changed_datasets(catalog) == 0  # nobody has searched yet: new ones wait for who does
    assert index_new_datasets(catalog) == 2
    harvested(catalog, portal, [a_dataset("a", title="New clams"), a_dataset("b", title="Mussels")])
    assert index_new_datasets(catalog) == 0
    assert index_changed_datasets(catalog) == 1
    assert index_changed_datasets(catalog) == 0
    assert (found_by("clams"), found_by("oysters"), found_by("mussels")) == (["New clams"], [], ["Mussels"])


def test_an_indexing_that_is_stopped_goes_on_where_it_was(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.catalog.search.PORTION", 4)
    harvested(catalog, a_portal(catalog), [a_dataset(str(number)) for number in range(10)])
    turns = iter([True, False])

    assert index_new_datasets(catalog, keep_on=lambda: next(turns)) == 4
    assert index_new_datasets(catalog) == 6


def test_of_very_many_matches_the_best_of_a_bounded_number_are_given(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.catalog.search.MOST_RANKED", 5)
    records = [a_dataset(f"d{number}", title="Other", description="water") for number in range(20)]
    records += [a_dataset("t", title="Water")]
    harvested(catalog, a_portal(catalog), records)
    index_new_datasets(catalog)

    hits = search_datasets(catalog, Words("water"), SearchFilters(), after=None, limit=50)

    assert hits.cards[0]["title"] == "Water"  # though it stands behind the others
    assert (hits.found, hits.capped) == (6, True)


@given(
    st.one_of(
        st.sampled_from(NAUGHTY_STRINGS), st.text(max_size=60), st.from_regex(r"[a-z:*&|!<>()'\"\\ -]{0,20}")
    )
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_searched_for_and_never_an_error(catalog: Catalog, typed: str) -> None:
    q = typed.replace("\x00", "")[:500].encode(errors="ignore").decode()
    with catalog.begin() as connection:
        known = connection.scalar(sa.text("SELECT count(*) FROM dataset"))
    if not known:
        harvested(catalog, a_portal(catalog), [a_dataset("a", title="A title")])
        index_new_datasets(catalog)

    words = Words(*take_apart(q))

    hits = search_datasets(catalog, words, SearchFilters(kind="dataset"), after=(0.5, 3), limit=5)
    assert hits.found in (0, 1)
    assert len(snippets(catalog, words, [1])) <= 1
