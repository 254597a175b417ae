"""What one line of configuration promises."""

from __future__ import annotations

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.portals.registry import PORTAL_KINDS, ReadingRules, open_portal, parse_portal
from shelter_pipeline_tests.support.local_site import open_door


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("datagov:https://catalog.data.gov", ("datagov", "https://catalog.data.gov")),
        ("ckan:https://demo.ckan.org/", ("ckan", "https://demo.ckan.org")),
        ("ckan:HTTP://Example.org:8080/data/", ("ckan", "http://example.org:8080/data")),
        ("dcat_us:https://www.gsa.gov/data.json", ("dcat_us", "https://www.gsa.gov/data.json")),
        (" dcat_us:https://www.gsa.gov/data/ ", ("dcat_us", "https://www.gsa.gov/data/")),
    ],
)
def test_a_portal_is_a_kind_and_a_url(text: str, expected: tuple[str, str]) -> None:
    assert parse_portal(text) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "not KIND:URL"),
        ("https://catalog.data.gov", "not KIND:URL"),
        ("socrata:https://data.example.gov", "'socrata'"),
        ("ckan:", "empty"),
        ("ckan:demo.ckan.org", "no scheme"),
        ("ckan:ftp://demo.ckan.org", "http://"),
        ("ckan:https://user:secret@demo.ckan.org", "user name"),
    ],
)
def test_a_portal_that_cannot_be_used_says_what_to_change(text: str, named: str) -> None:
    with pytest.raises(SetupError, match=named):
        parse_portal(text)


@pytest.mark.parametrize("text", ["socrata:https://x.gov", "nonsense"])
def test_the_kinds_there_are_stand_in_the_error(text: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_portal(text)

    assert all(kind in str(caught.value) for kind in PORTAL_KINDS)


@pytest.mark.parametrize("kind", PORTAL_KINDS)
def test_every_kind_opens_without_asking_anything(kind: str) -> None:
    portal = open_portal(kind, "http://10.0.0.1/x", open_door(), ReadingRules(page_max_bytes=1000))

    assert (portal.kind, portal.url) == (kind, "http://10.0.0.1/x")


def test_an_unknown_kind_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="datagov, ckan, dcat_us"):
        open_portal("csw", "http://10.0.0.1/x", open_door(), ReadingRules(page_max_bytes=1000))
