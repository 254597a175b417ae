"""Any text at all, as pages show it: it is there to be read, and it does nothing."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.api.pages import trouble_page
from shelter_pipeline.domain.text_differences import compare_texts
from shelter_pipeline.presentation.rendering import _environment
from shelter_pipeline.presentation.structured import dataset_as_schema_org
from shelter_pipeline.presentation.words import outside, pieces, plain, quoted
from shelter_pipeline_tests.support.markup import HOSTILE, HOSTILE_URLS, dangers_of

ANY = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.characters(exclude_categories=())),
    st.lists(
        st.sampled_from(["<", ">", "&", '"', "'", "script", "/", "{{", "}}", "on", "=", "\u202e", "\x00"])
    ).map("".join),
)


@given(ANY, ANY)
def test_trouble_is_told_in_whatever_words_and_nothing_of_them_acts(message: str, where: str) -> None:
    html = trouble_page(422, where, message, [{"where": where, "problem": message}]).decode()

    assert dangers_of(html) == []


@given(ANY)
def test_data_for_search_engines_cannot_close_its_script(text: str) -> None:
    file = {"filename": text, "download_as": "/files/0/a", "size": 1, "media_type": text, "sha256": "0"}
    said = dict.fromkeys(("title", "description", "identifier", "landing_page", "license", "publisher"), text)
    dataset = {
        "id": 7,
        **said,
        "organization_name": text,
        "modified": None,
        "issued": None,
        "keywords": [text],
    }
    described = dataset_as_schema_org(
        {**dataset, "links": [{"files_found": [file]}]}, "https://shelter.example"
    )
    html = (
        _environment()
        .from_string('<script type="application/ld+json">{{ x | tojson }}</script>')
        .render(x=described)
    )

    assert dangers_of(html) == []
    assert json.loads(html[35:-9]) == described


@given(st.one_of(ANY, st.sampled_from(HOSTILE_URLS)))
def test_a_link_leads_outside_by_a_known_way_or_not_at_all(url: str) -> None:
    leads = outside(url)

    assert leads is None or urlsplit(leads).scheme in ("http", "https", "ftp", "ftps")


@given(ANY)
def test_a_command_takes_any_name_for_one_word(name: str) -> None:
    assert shlex.split(quoted(name)) == [plain(name)]


@given(ANY, ANY)
def test_a_comparison_tells_both_texts_whole_where_nothing_is_left_out(before: str, after: str) -> None:
    found = compare_texts(before[:100], after[:100])

    assert "".join(piece.text for piece in found if piece.kind != "added") == before[:100]
    assert "".join(piece.text for piece in found if piece.kind != "removed") == after[:100]


def test_what_stayed_far_from_a_change_is_left_out() -> None:
    same = "It rained on many days. " * 40

    found = compare_texts(f"{same}In May. {same}", f"{same}In June. {same}")

    assert [piece.text for piece in found if piece.kind in ("removed", "added")] == ["May", "June"]
    assert [piece.kind for piece in found].count("gap") == 2
    assert sum(len(piece.text) for piece in found) < 300


@given(ANY, st.integers(0, 40), st.integers(0, 40))
def test_marks_change_nothing_of_a_text(text: str, first: int, length: int) -> None:
    found = pieces(text, [(first, first + length)], 10_000)

    assert "".join(piece for piece, _ in found) == plain(text, 10_000)
