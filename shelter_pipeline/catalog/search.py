"""Full-text search over datasets: its words kept up with the records, and questions to it.

A record's words are made anew when its hash is another one, a portion at a time, so a
harvest writes none and a refresh touches only what changed. The refresh takes turns: two
at once do each portion once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.dataset_reads import dataset_cards
from shelter_pipeline.catalog.reading import Rows, reading, rows_of
from shelter_pipeline.catalog.tables_catalogue import dataset
from shelter_pipeline.catalog.tables_search import dataset_search

PORTION = 2000
_LAST_ID = 2**63 - 1
_ENOUGH_TO_ANALYZE = 1000
# Of each kind of match, in titles and in whole records, so many are ranked.
MOST_RANKED = 500
BEGIN, END = "\x02", "\x03"
_OPTIONS = f"StartSel={BEGIN}, StopSel={END}"


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for: `words` as people type them into a search, `prefix` the beginning of a word, or empty.

    `prefix` consists of letters, digits and hyphens.
    """

    words: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """Which datasets may be found: all that is not None has to hold."""

    organization_id: int | None = None
    portal_id: int | None = None
    state: str | None = None
    kind: str | None = None
    modified_since: datetime | None = None

    @property
    def facets(self) -> str:
        """What the index itself can tell, as a text search query."""
        named = (("organization", self.organization_id), ("portal", self.portal_id), ("kind", self.kind))
        return " & ".join(f"'{name}={value}'" for name, value in named if value is not None)


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of what was found, best first, each with its `rank`.

    `found` is how many were ranked; `capped` says that more match than are ranked.
    """

    cards: Rows
    found: int
    capped: bool


def index_datasets(
    catalog: Catalog,
    *,
    after: int = 0,
    up_to: int = _LAST_ID,
    keep_on: Callable[[], bool] = lambda: True,
) -> int:
    """Make the words of datasets with ids above `after` what their records say; returns how many were made.

    It ends early, between two portions, when `keep_on` says no; what is done stays done.
    """
    made = 0
    while keep_on():
        with catalog.begin() as connection:
            span = {"after": after, "up_to": up_to, "portion": PORTION}
            last = connection.execute(statement("search_span"), span).scalar_one()
            if last is None:
                break
            made += connection.execute(statement("index_datasets"), {"after": after, "last": last}).rowcount
            after = last
    if made:
        _tidy(catalog, analyze=made >= _ENOUGH_TO_ANALYZE)
    return made


def index_new_datasets(catalog: Catalog, *, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Make the words of datasets that came since the last refresh; costs next to nothing when there are none."""
    with catalog.begin() as connection:
        newest = connection.scalar(sa.select(sa.func.max(dataset.c.id))) or 0
    indexed = _last_indexed(catalog)
    return index_datasets(catalog, after=indexed, keep_on=keep_on) if newest > indexed else 0


def index_changed_datasets(catalog: Catalog) -> int:
    """Make anew the words of datasets whose records are other ones than they were made of; new ones can wait."""
    return index_datasets(catalog, up_to=_last_indexed(catalog))


def _last_indexed(catalog: Catalog) -> int:
    with catalog.begin() as connection:
        return connection.scalar(sa.select(sa.func.max(dataset_search.c.dataset_id))) or 0


def search_datasets(
    catalog: Catalog,
    words: Words,
    filters: SearchFilters,
    *,
    after: tuple[float, int] | None,
    limit: int,
) -> Hits:
    """Datasets with these words, most relevant first, after a rank and id."""
    after_rank, after_id = after or (None, None)
    with reading(catalog) as connection:
        rows = connection.execute(
            statement("search_datasets"),
            {
                "query": _query(connection, words),
                "facets": filters.facets,
                "state": filters.state,
                "modified_since": filters.modified_since,
                "after_rank": after_rank,
                "after_id": after_id,
                "most": MOST_RANKED,
                "limit": limit,
            },
        ).all()
        cards = dataset_cards(connection, [row.id for row in rows])
    ranks = {row.id: row.rank for row in rows}
    return Hits(
        [{**card, "rank": ranks[card["id"]]} for card in cards],
        rows[0].ranked if rows else 0,
        bool(rows and rows[0].capped),
    )


def snippets(catalog: Catalog, words: Words, ids: list[int]) -> dict[int, dict[str, str]]:
    """Titles and pieces of descriptions by dataset, the words looked for between U+0002 and U+0003."""
    with reading(catalog) as connection:
        marks = {"marks": BEGIN + END, "options": _OPTIONS}
        rows = rows_of(connection, "search_snippets", ids, query=_query(connection, words), **marks)
    return {row["id"]: {"title": row["title"], "snippet": row["snippet"]} for row in rows}


def _query(connection: Connection, words: Words) -> str:
    beginning = f"'{words.prefix}':*" if words.prefix else ""
    asked = {"words": words.words, "prefix": beginning}
    query: str = connection.execute(statement("search_query"), asked).scalar_one()
    return query


def _tidy(catalog: Catalog, *, analyze: bool) -> None:
    with catalog.begin() as connection:
        connection.execute(statement("clean_search"))
        if analyze:
            connection.execute(sa.text("ANALYZE dataset_search"))
