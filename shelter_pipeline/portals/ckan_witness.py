"""What a CKAN portal says of itself: the count of its index, its organizations, its list of names.

Each is left out where it is not to be had; nobody there at all is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import Json, OrganizationRecord, Witness
from shelter_pipeline.portals.ckan_actions import ActionError, Actions, Answered
from shelter_pipeline.portals.ckan_lists import names_of
from shelter_pipeline.portals.ckan_record import ckan_organization
from shelter_pipeline.portals.ckan_search import total_in
from shelter_pipeline.portals.fields import Notes

ORGANIZATIONS_A_PAGE = 1000
MOST_ORGANIZATIONS = 100_000


def witnesses_of(actions: Actions) -> tuple[Witness, ...]:
    """Every witness that answers, the count of the search index first.

    Raises the first witness's error when none answers.
    """
    found: list[Witness] = []
    failures: list[ShelterError] = []

    def hear(ask: Callable[[Actions], Witness]) -> None:
        try:
            found.append(ask(actions))
        except ShelterError as error:
            failures.append(error)

    hear(_index)
    if not found or found[0].total is None:
        hear(_names)
    hear(_organizations)
    if not found:
        raise failures[0]
    return tuple(found)


def _index(actions: Actions) -> Witness:
    """The index's count, and with it the count by organization where the portal can facet."""
    spent = 0
    try:
        answered = actions.call("package_search", rows=0, facet_field='["organization"]', facet_limit=-1)
    except ShelterError as error:
        # Old versions refuse what they do not know as if the index were away.
        if not isinstance(error, PermanentError) and error.reason != "server-error":
            raise
        spent = 1
        answered = actions.call("package_search", rows=0)
    result = answered.result if isinstance(answered.result, dict) else {}
    facets = result.get("facets")
    by_slug = _counts_by_slug(facets.get("organization") if isinstance(facets, dict) else None)
    return Witness(answered.url, total_in(result.get("count")), by_slug, requests=spent + answered.requests)


def _names(actions: Actions) -> Witness:
    """How many names are listed, for portals whose index tells no count."""
    names, requests = names_of(actions)
    return Witness(actions.address("package_list"), len(names), requests=requests)


def _organizations(actions: Actions) -> Witness:
    """All organizations with their claimed counts. CKAN gives 25 at a time when it gives all fields."""
    listing = _Organizations(actions)
    while len(listing.organizations) < MOST_ORGANIZATIONS and listing.take_page():
        pass
    return Witness(
        actions.address("organization_list"),
        None,
        listing.claimed,
        tuple(listing.organizations.values()),
        listing.requests,
    )


class _Organizations:
    """Pages of `organization_list`, until one brings nothing new."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._offset = 0
        self.organizations: dict[str, OrganizationRecord] = {}
        self.claimed: dict[str, int] = {}
        self.requests = 0

    def take_page(self) -> bool:
        """Take the next page; whether it brought an organization not known before."""
        known = len(self.organizations)
        page = self._page()
        for item in page:
            self._take(item)
        self._offset += len(page)
        return len(self.organizations) > known

    def _take(self, item: Json) -> None:
        if not isinstance(item, dict | str):
            return
        one = ckan_organization(item if isinstance(item, dict) else {"name": item}, Notes())
        self.organizations.setdefault(one.slug, one)
        packages = total_in(item.get("package_count")) if isinstance(item, dict) else None
        if packages is not None:
            self.claimed[one.slug] = packages

    def _page(self) -> list[Any]:
        """The next page. A portal that refuses the question is asked for its plain list of names, once."""
        try:
            answered = self._actions.call(
                "organization_list", all_fields="true", limit=ORGANIZATIONS_A_PAGE, offset=self._offset
            )
        except PermanentError:
            self.requests += 1
            if self._offset:
                return []  # the names it has given are worth having
            answered = self._actions.call("organization_list")
        return self._items(answered)

    def _items(self, answered: Answered) -> list[Any]:
        self.requests += answered.requests
        if isinstance(answered.result, list):
            return answered.result
        raise ActionError(
            f"{answered.url} could not be read: it is not a list of organizations", reason="wrong-type"
        )


def _counts_by_slug(facet: Json) -> dict[str, int]:
    if not isinstance(facet, dict):
        return {}
    notes = Notes()
    counted: dict[str, int] = {}
    for name, value in facet.items():
        slug = ckan_organization({"name": name}, notes).slug
        counted[slug] = counted.get(slug, 0) + (total_in(value) or 0)
    return counted
