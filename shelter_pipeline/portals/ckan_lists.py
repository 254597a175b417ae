"""Reading a portal that has no `package_search`, as DKAN before it had a search of its own.

Whole packages are read list by list, or else names, and then one package after another. A
package that cannot be shown is a refusal with its name; only a portal that fails many
times in a row is given up.
"""

from __future__ import annotations

from collections.abc import Iterator

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import DatasetRecord, Json, Page, Refusal
from shelter_pipeline.portals.assembling import RECORD
from shelter_pipeline.portals.ckan_actions import ActionError, Actions, NoSuchActionError, NotListedError
from shelter_pipeline.portals.ckan_crawl import Step, walk
from shelter_pipeline.portals.ckan_places import ByName, ByPackages
from shelter_pipeline.portals.ckan_search import Found, in_one_list, show

NAMES = 1000
SHOWN_A_PAGE = 50
_MOST_NAMES = 5_000_000
_MOST_FAILURES_IN_A_ROW = 10


def by_packages(actions: Actions, place: ByPackages) -> Iterator[Page]:
    """Every package of `current_package_list_with_resources`, which tells no count.

    Raises as `Actions.call`, and as `walk` when the pages never end.
    """

    def ask(start: int, rows: int) -> Found:
        answered = actions.call("current_package_list_with_resources", limit=rows, offset=start)
        if not isinstance(answered.result, list):
            raise ActionError(
                f"{answered.url} could not be read: it is not a list of packages", reason="wrong-type"
            )
        return Found(answered.url, in_one_list(answered.result), None, answered.undecoded, answered.requests)

    for step in walk(actions.address("current_package_list_with_resources"), ask, place.start):
        yield step.page(ByPackages(step.following or 0))


def by_name(actions: Actions, place: ByName) -> Iterator[Page]:
    """Every package of `package_list`, each asked for by its name.

    Raises as `Actions.call` when there is no list, and the last error of a portal that
    fails for too many names in a row.
    """
    names, requests = names_of(actions)
    shower = _Shower(actions)
    start = place.start
    while True:
        following = min(start + SHOWN_A_PAGE, len(names))
        page = shower.page(names[start:following], start, requests)
        if following >= len(names):
            yield page.page(None)
            return
        yield page.page(ByName(following))
        start, requests = following, 0


def names_of(actions: Actions) -> tuple[list[Json], int]:
    """All names of `package_list`, and the requests that took; asked for at once where it cannot be paged."""
    names: list[Json] = []
    last: list[Json] | None = None
    requests = 0
    try:
        while len(names) < _MOST_NAMES:
            page, spent = _name_page(actions, limit=NAMES, offset=len(names))
            requests += spent
            if not page or page == last:
                return names, requests
            last = page
            names += page
            if len(page) > NAMES:  # the limit is not heeded: these are all
                return names, requests
    except PermanentError:
        page, spent = _name_page(actions)
        return page, requests + spent
    raise PermanentError(
        f"{actions.address('package_list')} gave more than {_MOST_NAMES} names", reason="too-large"
    )


def _name_page(actions: Actions, **parameters: int) -> tuple[list[Json], int]:
    answered = actions.call("package_list", **parameters)
    if not isinstance(answered.result, list):
        raise ActionError(f"{answered.url} could not be read: it is not a list of names", reason="wrong-type")
    return in_one_list(answered.result), answered.requests


class _Shower:
    """Shows packages one by one, and counts how many in a row cannot be shown."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._failures = 0

    def page(self, names: list[Json], start: int, requests: int) -> Step:
        """The packages of some names as one page."""
        records: list[DatasetRecord | Refusal] = []
        shown: list[Json] = []
        for position, name in enumerate(names, start):
            found = self._shown(name, position)
            requests += getattr(found, "requests", 1)
            if isinstance(found, Refusal):
                records.append(found)
                continue
            records += found.records(position)
            shown += found.packages
        url = self._actions.address("package_show")
        return Step(Found(url, shown, None, requests=requests), tuple(records), start, start + len(names))

    def _shown(self, name: Json, position: int) -> Found | Refusal:
        if not isinstance(name, str) or not name:
            return Refusal(position, RECORD, "the portal's list names it by something that is no name")
        try:
            found = show(self._actions, name)
        except NoSuchActionError:
            raise
        except NotListedError as error:
            self._failures = 0
            return Refusal(position, RECORD, f"the portal lists it and will not show it: {error}", name)
        except ShelterError as error:
            self._failures += 1
            if self._failures > _MOST_FAILURES_IN_A_ROW:
                raise
            return Refusal(position, RECORD, f"it cannot be read: {error}", name)
        self._failures = 0
        if not found.packages:
            return Refusal(position, RECORD, "the portal lists it and shows nothing", name)
        return found
