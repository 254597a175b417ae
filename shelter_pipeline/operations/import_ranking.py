"""A ranking from outside: an analytics export of downloads and link clicks, matched to datasets and kept by name.

A row that cannot be used is refused by its line and never ends the import; the ranking
that went by the name before stands until the new one has been written whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from shelter_pipeline.catalog.rankings import Usage, ranking_top, replace_ranking
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH
from shelter_pipeline.operations.outside_files import (
    Refusals,
    Table,
    UnusableRowError,
    outside_lines,
    read_table,
)
from shelter_pipeline.operations.score_assets import rescore_after
from shelter_pipeline.operations.workplace import Workplace

_NEEDED = ("linkUrl", "eventCount")
_COLUMNS = {"linkurl": "linkUrl", "eventcount": "eventCount", "pagelocation": "pageLocation"}
_NO_VALUE = frozenset({"", "(not set)", "(other)", "(none)"})  # as Google Analytics writes it
_COUNT = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.0*)?\Z")
_MOST_EVENTS = 10**12  # in one row; more is a mistake, and sums stay within what the catalog can hold
_WHOLE = ("https://", "http://", "ftp://")
_LONGEST_NAME = 100
_STEP = 10_000
_TOP = 10

Progress = Callable[[int, int | None], None]


def import_ranking(
    workplace: Workplace, path: Path, name: str, *, progress: Progress = lambda _done, _total: None
) -> dict[str, Any]:
    """Keep the ranking of this file under this name, in place of one that has it.

    Returns `{ranking, rows, refused, matched, matched_by_page, unmatched, events,
    matched_events, datasets, notes, refusals, top}`; of the rows that were read, each is
    refused, matched or unmatched. Raises SetupError for a name or a file that cannot be
    used; then nothing has changed.
    """
    name = ranking_name(name)
    refusals = Refusals()
    with outside_lines(path) as (lines, notes):
        table = read_table(lines, path, _COLUMNS, _NEEDED, refusals)
        counts = replace_ranking(
            workplace.catalog,
            name,
            source=path.name,
            usages=read_usages(table, refusals, progress),
            refused=lambda: refusals.count,
        )
    rescore_after(workplace, "the import")
    return {
        "ranking": name,
        "rows": counts.rows + refusals.count,
        "refused": refusals.count,
        "matched": counts.link_rows + counts.page_rows,
        "matched_by_page": counts.page_rows,
        "unmatched": counts.rows - counts.link_rows - counts.page_rows,
        "events": counts.events,
        "matched_events": counts.link_events + counts.page_events,
        "datasets": counts.datasets,
        "notes": notes,
        "refusals": refusals.first,
        "top": ranking_top(workplace.catalog, name, _TOP),
    }


def ranking_name(name: str) -> str:
    """A ranking's name without the white space around it. SetupError if it is none."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise SetupError(
            f"{name[:_LONGEST_NAME]!r} is no name for a ranking: 1 to {_LONGEST_NAME} characters"
        )
    return name


def read_usages(
    table: Table, refusals: Refusals, progress: Progress = lambda _done, _total: None
) -> Iterator[Usage]:
    """The usable rows of an export; the others go to `refusals`."""
    link, count = table.columns["linkUrl"], table.columns["eventCount"]
    page = table.columns.get("pageLocation")
    done = 0
    for done, (line, cells) in enumerate(table.rows, 1):
        try:
            yield usage(cells[link], cells[count], "" if page is None else cells[page])
        except UnusableRowError as error:
            refusals.add(line, str(error))
        if done % _STEP == 0:
            progress(done, None)
    progress(done, None)


def usage(link: str, count: str, page: str) -> Usage:
    """How often a link was used from a page. UnusableRowError saying what is wrong with it."""
    link, page = link.strip(), page.strip()
    if link.casefold() in _NO_VALUE:
        raise UnusableRowError("linkUrl is empty")
    if max(len(link), len(page)) > MAX_URL_LENGTH:
        raise UnusableRowError(f"a URL is longer than {MAX_URL_LENGTH} characters")
    events = _events(count)
    page, host, slug = _page(page)
    try:
        # urljoin would take apart and put together again what is whole already
        whole = link if link.lower().startswith(_WHOLE) else urljoin(page, link)
        scheme = urlsplit(whole).scheme
    except ValueError as error:
        raise UnusableRowError(f"linkUrl cannot be read: {error}") from error
    if not scheme:
        raise UnusableRowError("linkUrl is relative, and there is no pageLocation")
    return Usage(whole, page.partition("#")[0], host, slug, events)


def _events(text: str) -> int:
    text = text.strip()
    if not _COUNT.match(text):
        raise UnusableRowError(f"eventCount {text[:40]!r} is not a whole number")
    events = int(text.partition(".")[0].replace(",", "")[:20])
    if events > _MOST_EVENTS:
        raise UnusableRowError(f"eventCount {text[:40]} is more than {_MOST_EVENTS}")
    return events


def _page(page: str) -> tuple[str, str | None, str | None]:
    """A page's URL with its scheme, and its host and slug if it is a dataset's; nothing of one that is no URL."""
    if page.casefold() in _NO_VALUE:
        return "", None, None
    page = page if "://" in page else f"https://{page}"
    try:
        return page, *dataset_page(page)
    except ValueError:
        return "", None, None


def dataset_page(page: str) -> tuple[str | None, str | None]:
    """The host of a page, and the slug if it is one of a dataset: what follows `/dataset/`. ValueError if unreadable.

    >>> dataset_page("https://catalog.data.gov/dataset/Air-Quality/resource/1?x=2")
    ('catalog.data.gov', 'air-quality')
    """
    parts = urlsplit(page)
    _, found, rest = parts.path.partition("/dataset/")
    slug = unquote(rest.partition("/")[0]).lower()
    return (parts.hostname, slug) if found and slug else (None, None)
