"""What a CKAN portal says of itself, and what is made of a portal that says it badly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline_tests.support.ckan_index import (
    NAMES,
    ORGANIZATIONS,
    SEARCH,
    UNKNOWN_ACTION,
    envelope,
    failure,
    open_ckan,
    package,
    result,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> CkanPortal:
    return open_ckan(site.url)


def serve_organizations(site: LocalSite, names: list[str], *, cap: int = 25) -> None:
    def answer(asked: Asked) -> Answered:
        start = int(asked.query["offset"])
        page = [
            {"name": name, "title": name.title(), "package_count": 1} for name in names[start : start + cap]
        ]
        return Answered(result(page))

    site.answers(ORGANIZATIONS, answer)


def test_the_index_is_asked_first_and_counts_by_organization(site: LocalSite, portal: CkanPortal) -> None:
    found = envelope([], 61)
    found["result"]["facets"] = {"organization": {"office_1": 60, "office-1": 1}}
    site.serves(SEARCH, found)
    serve_organizations(site, ["office_1"])

    first, second = portal.witnesses()

    assert (first.total, first.by_organization, first.requests) == (61, {"office-1": 61}, 1)
    assert site.asked[0].query == {"rows": "0", "facet.field": '["organization"]', "facet.limit": "-1"}
    assert (second.total, second.by_organization) == (None, {"office-1": 1})


def test_organizations_are_listed_page_by_page_to_the_last(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([], 60))
    serve_organizations(site, [f"office_{number}" for number in range(60)])

    listed = portal.witnesses()[1]

    assert (len(listed.organizations), listed.requests) == (60, 4)
    assert listed.organizations[0].name == "Office_0"


def test_a_list_that_ignores_its_offset_ends(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([], 2))
    site.serves(ORGANIZATIONS, result(["office_1", "office_2"]))

    listed = portal.witnesses()[1]

    assert [one.slug for one in listed.organizations] == ["office-1", "office-2"]
    assert (listed.by_organization, listed.requests) == ({}, 2)


def test_a_portal_that_takes_no_parameters_is_asked_for_its_names(
    site: LocalSite, portal: CkanPortal
) -> None:
    def answer(asked: Asked) -> Answered:
        if asked.query:
            return Answered(failure("Validation Error", "all_fields"), 409)
        return Answered(result(["office_1", None, 7, {"name": "office_2"}]))

    site.serves(SEARCH, envelope([], 2))
    site.answers(ORGANIZATIONS, answer)

    listed = portal.witnesses()[1]

    assert [one.slug for one in listed.organizations] == ["office-1", "office-2"]


def test_a_list_that_breaks_off_keeps_what_it_gave(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([], 2))
    site.serves_in_turn(
        ORGANIZATIONS,
        Answered(result([{"name": "office_1", "package_count": "2"}])),
        Answered(failure("Validation Error", "offset"), 409),
    )

    listed = portal.witnesses()[1]

    assert (len(listed.organizations), listed.by_organization) == (1, {"office-1": 2})


@pytest.mark.parametrize("kind", ["Validation Error", "Search Error"])
@pytest.mark.parametrize("status", [200, 400, 409, 500])
def test_a_portal_that_will_not_facet_is_asked_plainly(
    site: LocalSite, portal: CkanPortal, status: int, kind: str
) -> None:
    def search(asked: Asked) -> Answered:
        if "facet.field" in asked.query:
            return Answered(failure(kind, "facet.field"), status)
        return Answered(envelope([], "12"))

    site.answers(SEARCH, search)

    (witness,) = portal.witnesses()

    assert (witness.total, witness.by_organization, witness.requests) == (12, {}, 2)


@pytest.mark.parametrize("facets", [None, [], {"organization": None}, {"organization": {"a": None}}])
def test_facets_of_any_shape_do_no_harm(site: LocalSite, portal: CkanPortal, facets: Any) -> None:
    found = envelope([], 3)
    found["result"]["facets"] = facets
    site.serves(SEARCH, found)

    assert portal.witnesses()[0].total == 3


def test_without_a_search_the_list_of_names_is_counted(site: LocalSite, portal: CkanPortal) -> None:
    site.answers(SEARCH, lambda _: UNKNOWN_ACTION)
    site.serves(NAMES, result(["a", "b", "c"]))

    (witness,) = portal.witnesses()

    assert (witness.source, witness.total) == (site.url + NAMES, 3)


def test_dkans_search_tells_no_count_so_its_names_are_counted_too(
    site: LocalSite, portal: CkanPortal
) -> None:
    site.serves(SEARCH, result([package()]))
    site.serves(NAMES, result(["a", "b"]))

    assert [witness.total for witness in portal.witnesses()] == [None, 2]


def test_organizations_alone_are_a_witness(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, b"<html><h1>Bad gateway</h1></html>", 502)
    serve_organizations(site, ["office_1"])

    assert [witness.by_organization for witness in portal.witnesses()] == [{"office-1": 1}]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"no such page", PermanentError),
        (502, b"<html><h1>Bad gateway</h1></html>", TransientError),
        (200, b"<html><title>Request Rejected</title></html>", TransientError),
    ],
)
def test_a_portal_that_answers_nothing_is_an_error_that_names_its_search(
    site: LocalSite, portal: CkanPortal, status: int, body: bytes, kind: type[ShelterError]
) -> None:
    for path in (SEARCH, NAMES, ORGANIZATIONS):
        site.serves(path, body, status)

    with pytest.raises(kind, match="package_search"):
        portal.witnesses()
