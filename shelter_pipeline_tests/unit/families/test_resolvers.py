"""Persistent identifiers that no repository of ours owns, and repositories behind a login."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.leads import To
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.recorded import entered


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://dx.doi.org/10.3334/ORNLDAAC/1284", "https://doi.org/10.3334/ORNLDAAC/1284"),
        ("https://doi.org/10.5066/P9CSM0KN", "https://doi.org/10.5066/P9CSM0KN"),
        ("https://doi.org/doi:10.5066/P9CSM0KN", "https://doi.org/doi:10.5066/P9CSM0KN"),
        (
            "https://doi.org/10.1175/1520-0477(1996)077%3C0437:TNYRP%3E2.0.CO;2",
            "https://doi.org/10.1175/1520-0477(1996)077%3C0437:TNYRP%3E2.0.CO;2",
        ),
        ("http://hdl.handle.net/1902.1/10040", "https://hdl.handle.net/1902.1/10040"),
        ("https://n2t.net/ark:/85065/d7wd3xhc", "https://n2t.net/ark:/85065/d7wd3xhc"),
    ],
)
def test_an_identifier_is_a_page_that_whoever_it_redirects_to_reads(url: str, page: str) -> None:
    known = enter(parse_url(url))

    assert known is not None
    [lead] = known[1].leads
    assert (known[0], lead.url, lead.to, lead.reader, dict(lead.headers)) == (
        "resolver",
        page,
        To.PAGE,
        "",
        {},
    )


@pytest.mark.parametrize("after", [".", ",", ".)", ")", "%20."])
def test_what_a_sentence_left_behind_an_identifier_is_cut_off_and_noted(after: str) -> None:
    known = enter(parse_url(f"https://doi.org/10.5067/VIIRS/VNP14A1.001{after}"))

    assert known is not None
    assert [lead.url for lead in known[1].leads] == ["https://doi.org/10.5067/VIIRS/VNP14A1.001"]
    assert "no part of the identifier" in known[1].notes[0]


def test_a_bracket_that_an_identifier_opens_itself_stays() -> None:
    assert entered("https://doi.org/10.1016/S0012(99)00001") == (
        "resolver",
        [("page", "https://doi.org/10.1016/S0012(99)00001")],
    )
    assert entered("https://doi.org/10.1016/(a)") == ("resolver", [("page", "https://doi.org/10.1016/(a)")])


@pytest.mark.parametrize(
    "url", ["https://doi.org/", "https://doi.org/10.5067", "https://hdl.handle.net/", "https://n2t.net/about"]
)
def test_the_resolvers_own_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://www.icpsr.umich.edu/web/ICPSR/studies/36371",
        "https://www.icpsr.umich.edu/icpsrweb/NACJD/studies/36371/version/1",
        "https://www.openicpsr.org/openicpsr/project/100486/version/V1/view",
        "https://doi.org/10.3886/ICPSR36371.v1",
        "https://doi.org/10.3886/E100486V1",
    ],
)
def test_a_study_behind_a_login_is_told_in_words_and_nothing_of_it_is_asked(url: str) -> None:
    known = enter(parse_url(url))

    assert known is not None
    slug, reading = known
    assert (slug, list(reading.leads), reading.outcome) == ("walled", [], "login-required")
    assert "after a login" in reading.detail


@pytest.mark.parametrize(
    "url", ["https://www.icpsr.umich.edu/files/deposit/guide.pdf", "https://www.icpsr.umich.edu/"]
)
def test_other_pages_of_a_walled_repository_are_read_like_any(url: str) -> None:
    assert entered(url) is None
