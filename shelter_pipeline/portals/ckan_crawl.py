"""Reading a CKAN portal to its end through `package_search`.

Small portals are read by id, large ones in windows of their dates of change, because a
search index collects all rows before the start of a page. CKAN cuts `rows` without a word
and drops broken entries from a page, so the next start is what was received, and only an
empty or repeated page past the count is the end. Packages seen twice at the seams are
known to whoever merges them by their identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Listing, Page, Refusal
from shelter_pipeline.portals.assembling import UnusableError
from shelter_pipeline.portals.ckan_actions import ActionError, Actions, RefusedQuestionError, is_missing
from shelter_pipeline.portals.ckan_places import ORDER, ById, Place, Window
from shelter_pipeline.portals.ckan_record import identity_of
from shelter_pipeline.portals.ckan_search import Found, Portions, search
from shelter_pipeline.portals.fields import Notes
from shelter_pipeline.portals.progress import Progress

_FIRST_STEP_OVER_A_GAP = 100
_MOST_EMPTY_PAGES = 50
_ORDERS: tuple[Mapping[str, str], ...] = ({"sort": "id asc"}, {"sort": "name asc"}, {})
Records = tuple[DatasetRecord | Refusal, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk: what came, where it stood, and where the next one begins; None at the end."""

    found: Found
    records: Records
    at: int
    following: int | None

    def page(self, place: Place | None) -> Page:
        """The page, resumed at `place`."""
        cursor = place.cursor if place and self.following is not None else None
        changed = max(self.found.dates(), default=None)
        return Page(self.records, cursor, self.found.requests, changed)


def walk(
    url: str,
    ask: Callable[[int, int], Found],
    start: int,
    read: Callable[[Found, int], Records] = Found.records,
    progress: Progress | None = None,
    identify: Callable[[int], str | None] = lambda _: None,
) -> Iterator[Step]:
    """Page after page until one is empty or repeats another, and nothing more is promised.

    Raises TransientError when pages only repeat themselves, or none come, although the
    count promises more.
    """
    portions, progress = Portions(ask, identify), progress or Progress(url)
    largest, empty = 0, 0
    while True:
        found, refused, at = portions.read(start)
        records = refused + read(found, at)
        received = len(found.packages)
        repeated = progress.note_page(records)
        if (repeated or not received) and (found.total is None or at >= found.total):
            yield Step(found, refused, at, None)
            return
        largest = max(largest, received)
        empty = 0 if received else empty + 1
        if empty > _MOST_EMPTY_PAGES:
            raise TransientError(
                f"{url} could not be read to its end: it counts {found.total} packages"
                f" and gives none from {start} on",
                reason="server-error",
            )
        start = at + (received or largest or _FIRST_STEP_OVER_A_GAP)
        yield Step(found, refused if repeated else records, at, start)


class SearchCrawl:
    """The packages that one portal's search shows."""

    def __init__(self, actions: Actions, window_packages: int) -> None:
        self._actions = actions
        self._window_packages = window_packages
        self._url = actions.address("package_search")

    def by_id(self, place: ById, *, may_window: bool) -> Iterator[Page]:
        """Everything by id; a portal too large for that is read in windows, if it can be."""
        for step in self._walk_all(place.start):
            if may_window and step.following and (step.found.total or 0) > self._window_packages:
                yield step.page(Window())
                yield from self.by_window(Window(), otherwise=ById(step.following))
                return
            may_window = False
            yield step.page(ById(step.following or 0))

    def by_window(self, window: Window, *, otherwise: ById | None = None) -> Iterator[Page]:
        """Everything from a window on; by id instead where the portal will not filter by date."""
        pages = self._windows(window)
        came = False
        while True:
            try:
                page = next(pages, None)
            except _UnheededError:
                otherwise = otherwise or ById()
                break
            except (ActionError, TransientError) as error:
                if came or not _is_about_the_filter(error):
                    raise
                break
            if page is None:
                return
            came = True
            yield page
        yield from self.by_id(otherwise or ById(), may_window=False)

    def changes(self, window: Window) -> Iterator[Page]:
        """Only what changed in a window. Raises PermanentError when the portal will not filter by date."""
        try:
            yield from self._windows(window, counted=True)
        except _UnheededError:
            raise self._no_changes("it gives packages that changed before") from None
        except ActionError as error:
            raise self._no_changes(str(error)) from error
        except TransientError as error:
            # Old versions answer a filter they will not take as if the index were away.
            if not _is_about_the_filter(error) or not self._answers():
                raise
            raise self._no_changes(str(error)) from error

    def identities(self) -> Iterator[Listing]:
        """The identity of each package, in a second pass by id; nothing where there is no search."""
        came = False
        for fields in ({"fl": "id"}, {}):
            try:
                for step in self._walk_all(0, fields, _bare):
                    came = True
                    known = tuple(record.identifier for record in step.records if record.identifier)
                    yield Listing(step.found.url, known, step.found.requests)
            except ShelterError as error:
                if came or not (isinstance(error, ActionError) or is_missing(error)):
                    raise
            if came:
                return

    def _walk_all(
        self,
        start: int,
        parameters: Mapping[str, str] = {},
        read: Callable[[Found, int], Records] = Found.records,
    ) -> Iterator[Step]:
        """Every package, by id where the portal takes that order, else in the next best.

        In no order at all packages may come twice or not at all: the second pass tells.
        """
        refused: ShelterError | None = None
        for order in _ORDERS:
            steps = self._walk(start, {**parameters, **order}, read)
            try:
                first = next(steps)
            except (ActionError, TransientError) as error:
                refused = refused or error
                is_the_order = _may_be_how_it_was_asked(error) and not self._answers(order)
                if not is_the_order or not self._answers():
                    break
                continue
            yield first
            yield from steps
            return
        raise refused or AssertionError

    def _walk(
        self,
        start: int,
        parameters: Mapping[str, str],
        read: Callable[[Found, int], Records] = Found.records,
        progress: Progress | None = None,
    ) -> Iterator[Step]:
        def ask(start: int, rows: int) -> Found:
            return search(self._actions, rows=rows, start=start, **parameters)

        def identify(start: int) -> str | None:
            """The id of a package that cannot be read: the index has it apart from the package."""
            try:
                found = search(self._actions, rows=1, start=start, **{**parameters, "fl": "id"})
            except ShelterError:
                return None
            return next((record.identifier for record in _bare(found, start)), None)

        return walk(self._url, ask, start, read, progress, identify)

    def _windows(self, window: Window, *, counted: bool = False) -> Iterator[Page]:
        """Window after window. Raises _UnheededError for a page of packages that are not of its window."""
        progress = Progress(self._url)
        following: Window | None = window
        while following is not None:
            window, following = following, None
            for step in self._walk(window.start, {"fq": window.filter, "sort": ORDER}, progress=progress):
                if not window.is_heeded(step.found.packages) or (counted and step.found.total is None):
                    raise _UnheededError
                if step.following is None:
                    yield step.page(None)
                    return
                place = window.after(step.found.packages, step.at, step.following, size=self._window_packages)
                yield step.page(place)
                if place.since != window.since:
                    following = place
                    break
                window = place

    def _answers(self, parameters: Mapping[str, str] = {}) -> bool:
        """Whether the search answers at all when it is asked for no package."""
        try:
            search(self._actions, rows=0, **parameters)
        except ShelterError:
            return False
        return True

    def _no_changes(self, why: str) -> PermanentError:
        return PermanentError(
            f"{self._url} cannot be asked for only what changed: {why}", reason="wrong-type"
        )


class _UnheededError(Exception):
    """The portal takes a filter and does not heed it."""


def _is_about_the_filter(error: ShelterError) -> bool:
    return isinstance(error, ActionError) or error.reason == "server-error"


def _may_be_how_it_was_asked(error: ShelterError) -> bool:
    return isinstance(error, RefusedQuestionError) or error.reason == "server-error"


def _bare(found: Found, position: int) -> Records:
    """The packages by their identities alone, be they whole, cut down to it, or nothing but it."""
    known: list[Refusal] = []
    for index, package in enumerate(found.packages):
        try:
            identity = identity_of(package if isinstance(package, dict) else {"id": package}, Notes())
        except UnusableError:
            continue  # the crawl refused it, and a refusal has no identity to be missed
        known.append(Refusal(position + index, "title", "only its identity was asked for", identity))
    return tuple(known)
