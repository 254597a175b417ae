"""One page of packages from whichever action gives them, and how large a page may be asked for.

A single package that the portal cannot show, or that is too deep or too large to be read,
makes its whole page fail. So a page that fails for what is in it is asked for again in
smaller pieces, until the package at fault stands alone and becomes a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Json, Refusal
from shelter_pipeline.portals.assembling import RECORD, assemble
from shelter_pipeline.portals.ckan_actions import ActionError, Actions, RefusedQuestionError
from shelter_pipeline.portals.ckan_record import ckan_record
from shelter_pipeline.portals.fields import LARGEST_INTEGER, Notes, moment

ROWS = 1000
_FEWER = 10
_FEWEST_TO_ASK = 10  # a portal that refuses even so few refuses something else
_GOOD_PAGES_BEFORE_MORE = 20
_MOST_BAD_IN_A_ROW = 3
# What one package can do to its page; the rest is the portal's or the network's state.
_OF_THE_PAGE = frozenset({"wrong-type", "too-large", "wrong-length", "server-error", "deadline", "too-slow"})


@dataclass(frozen=True, slots=True)
class Found:
    """Packages as an action gave them, and how many there are said to be in all."""

    url: str
    packages: list[Any]
    total: int | None
    undecoded: bool = False
    requests: int = 1

    def records(self, position: int) -> tuple[DatasetRecord | Refusal, ...]:
        """Each package as a record or a refusal; `position` is where the first one stands."""
        return tuple(
            assemble(ckan_record, package, position + index, undecoded=self.undecoded)
            for index, package in enumerate(self.packages)
        )

    def dates(self) -> list[datetime]:
        """When each package was last changed, for those that say so readably."""
        return [when for package in self.packages if (when := changed_at(package)) is not None]


def search(actions: Actions, **parameters: str | int) -> Found:
    """One answer of `package_search`, CKAN's or DKAN's. Raises as `Actions.call`, ActionError for other shapes."""
    answered = actions.call("package_search", **parameters)
    result = answered.result
    if isinstance(result, list):
        return Found(answered.url, in_one_list(result), None, answered.undecoded, answered.requests)
    results = result.get("results") if isinstance(result, dict) else None
    if not isinstance(results, list):
        raise ActionError(
            f"{answered.url} could not be read: it is not a page of packages", reason="wrong-type"
        )
    return Found(answered.url, results, total_in(result.get("count")), answered.undecoded, answered.requests)


def show(actions: Actions, identifier: str) -> Found:
    """The one package of an id or name; DKAN gives a list of it, and an empty one if there is none.

    Raises NotListedError when the portal says that there is none, else as `Actions.call`.
    """
    answered = actions.call("package_show", id=identifier)
    result = answered.result
    packages = in_one_list(result) if isinstance(result, list) else [result]
    if packages and not isinstance(packages[0], dict):
        raise ActionError(f"{answered.url} could not be read: it is not a package", reason="wrong-type")
    return Found(answered.url, packages[:1], len(packages), answered.undecoded, answered.requests)


def in_one_list(result: list[Any]) -> list[Any]:
    """The packages of a DKAN answer: some versions put their list into one more list."""
    return result[0] if len(result) == 1 and isinstance(result[0], list) else result


def total_in(value: Json) -> int | None:
    """A count as a number or in digits; None for anything else, a negative one too."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:  # noqa: PLR2004
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= LARGEST_INTEGER else None


def changed_at(package: Json) -> datetime | None:
    """When CKAN says that a package changed; UTC, as it writes dates without a zone."""
    written = package.get("metadata_modified") if isinstance(package, dict) else None
    if not isinstance(written, str):
        return None
    found: datetime | None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = moment(written, "metadata_modified", Notes())
    if found is None:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:  # the first or last day there is, in another zone
        return None


@dataclass
class Portions:
    """Reads on from a start in pages as large as the portal and its packages allow."""

    ask: Callable[[int, int], Found]  # start, rows
    identify: Callable[[int], str | None] = lambda _: None  # what stands at a start, by its id alone
    rows: int = ROWS
    _most: int = ROWS  # that the portal lets us ask for
    _before: int = 0
    _good: int = 0

    def read(self, start: int) -> tuple[Found, tuple[Refusal, ...], int]:
        """A page, the packages that had to be passed over to get it, and where the page starts.

        Raises the portal's first error when no smaller page, and none of the next packages,
        can be read either.
        """
        first: ShelterError | None = None
        passed: list[Refusal] = []
        while True:
            try:
                found = self.ask(start + len(passed), self.rows)
            except (PermanentError, TransientError) as error:
                first = first or error
                if isinstance(error, RefusedQuestionError) and not passed:
                    if self.rows <= _FEWEST_TO_ASK:
                        raise first from error
                    self.rows = self._most = self.rows // _FEWER
                    continue
                if isinstance(error, ActionError) or error.reason not in _OF_THE_PAGE:
                    raise
                if self.rows > 1:
                    self._shrink()
                    continue
                if len(passed) == _MOST_BAD_IN_A_ROW:
                    raise first from error
                place = start + len(passed)
                passed.append(
                    Refusal(place, RECORD, f"its page cannot be read: {error}", self.identify(place))
                )
                continue
            self._note_good(passed)
            return found, tuple(passed), start + len(passed)

    def _shrink(self) -> None:
        self._before = max(self._before, self.rows)
        self.rows = max(1, self.rows // _FEWER)
        self._good = 0

    def _note_good(self, passed: list[Refusal]) -> None:
        """Back to large pages when the package at fault is behind us, else after a while."""
        self._good += 1
        if passed:
            self.rows = max(self.rows, self._before)
        elif self._good >= _GOOD_PAGES_BEFORE_MORE:
            self.rows = min(self._most, self.rows * _FEWER)
        else:
            return
        self._before = self._good = 0
