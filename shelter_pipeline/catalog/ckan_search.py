"""Answering CKAN's `package_search` from the catalog: conditions as SQL, an exact count, a page of ids, facets.

Every text of a caller is a bound parameter; what is put together are conditions of this
module alone. Words are looked for in the full-text index; the rest is asked of the
records themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.ckan_ids import Kind, number_in
from shelter_pipeline.domain.ckan_query import (
    TEXT,
    Anything,
    Beginning,
    Between,
    Clause,
    QueryError,
    Value,
    Words,
    moment_of,
)

# Beyond so many matches relevance would have to read half the index, and says little: they come by date of change.
MOST_RANKED = 10_000
# Facets of tags and formats unfold every match.
MOST_UNFOLDED = 50_000

# The order of each field that may be sorted by; ids make every order total.
_ORDERS = {
    "score": "ts_rank(dataset_search.document, CAST(:query AS tsquery), 1)",
    "id": "dataset.id",
    "name": "dataset.slug",
    "title": "dataset.title",
    "title_string": "dataset.title",
    "metadata_modified": "dataset.changed_at",
    "metadata_created": "dataset.first_seen_at",
}
_USUAL_ORDER = (("score", True), ("metadata_modified", True))
_DATES = {"metadata_modified": "dataset.changed_at", "metadata_created": "dataset.first_seen_at"}
# Which weights of the document a field of CKAN is: see `tables_search`.
_WEIGHTS = {"title": "{a}", "notes": "{d}"}
# A column, or a list of them, compared with texts: one row each of `field = ANY (:texts)`.
_COLUMNS = {
    # A name of ours, else one that a portal gives, which several portals may: an agency's own words name it everywhere.
    "organization": (
        "dataset.organization_id IN (SELECT organization.id FROM organization"
        " WHERE organization.key = ANY ({texts}) OR organization.name = ANY ({texts})"
        " OR (organization.slug = ANY ({texts}) AND NOT EXISTS"
        " (SELECT FROM organization AS other WHERE other.key = organization.slug)))"
    ),
    "organization_type": (
        "dataset.organization_id IN (SELECT organization.id FROM organization"
        " WHERE lower(organization.kind) = ANY (SELECT lower(given) FROM unnest({texts}) AS given))"
    ),
    "shelter_portal": (
        "dataset.portal_id IN (SELECT portal.id FROM portal"
        " WHERE portal.slug = ANY ({texts}) OR portal.url = ANY ({texts}))"
    ),
    "groups": "dataset.themes && {texts}",
    "shelter_state": "dataset.state = ANY ({texts})",
    "res_format": (
        "EXISTS (SELECT FROM resource WHERE resource.dataset_id = dataset.id AND resource.listed"
        " AND upper(resource.format) = ANY (SELECT upper(given) FROM unnest({texts}) AS given))"
    ),
}
# What is the same for every package shown here.
_CONSTANTS = {
    "state": "active",
    "type": "dataset",
    "private": "false",
    "capacity": "public",
    "entity_type": "package",
}
FIELDS = tuple(sorted({TEXT, "id", "name", "tags", *_WEIGHTS, *_COLUMNS, *_DATES, *_CONSTANTS}))

# How datasets that were found are counted by a field.
_OF_ORGANIZATION = (
    "SELECT organization.key AS name, organization.name AS title, found.datasets FROM found"
    " JOIN organization ON organization.id = found.organization_id"
)
_FACETS = {
    "tags": (
        "SELECT keyword.name, keyword.name AS title, count(*) AS datasets FROM found"
        " JOIN dataset ON dataset.id = found.id CROSS JOIN LATERAL unnest(dataset.keywords) AS keyword (name)"
        " GROUP BY keyword.name"
    ),
    "res_format": (
        "SELECT shown.name, shown.name AS title, count(*) AS datasets FROM"
        " (SELECT DISTINCT found.id, upper(resource.format) AS name FROM found"
        " JOIN resource ON resource.dataset_id = found.id AND resource.listed"
        " WHERE resource.format <> '') AS shown GROUP BY shown.name"
    ),
    "groups": (
        "SELECT theme.name, theme.name AS title, count(*) AS datasets FROM found"
        " JOIN dataset ON dataset.id = found.id CROSS JOIN LATERAL unnest(dataset.themes) AS theme (name)"
        " GROUP BY theme.name"
    ),
}


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: conditions, an order of `(field, descending)` where `score` is relevance, and a page."""

    clauses: tuple[Clause, ...]
    order: tuple[tuple[str, bool], ...] = ()
    start: int = 0
    rows: int = 10
    facets: tuple[str, ...] = ()
    facet_limit: int = 50


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of a field, and how many of the datasets found have it."""

    name: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Result:
    """How many datasets match, exactly; the ids of the page; the facets asked for, most frequent first."""

    count: int
    ids: list[int]
    facets: dict[str, list[Facet]]


@dataclass(slots=True)
class _Conditions:
    """SQL that must all hold, and the values bound in it."""

    connection: Connection
    now: datetime
    find: Callable[[str], int | None]
    parts: list[str] = field(default_factory=list)
    bound: dict[str, Any] = field(default_factory=dict)
    query: str = ""  # words, as the text of a tsquery

    def bind(self, value: Any) -> str:
        """The place of a new parameter."""
        name = f"p{len(self.bound)}"
        self.bound[name] = value
        return f":{name}"


def search_packages(catalog: Catalog, search: Search, find: Callable[[str], int | None]) -> Result:
    """The page that is asked for. `find` gives the dataset of an id or name.

    Raises QueryError for what cannot be asked of this catalog.
    """
    for name, _ in search.order:
        if name not in _ORDERS:
            raise QueryError(f"packages cannot be sorted by {name!r}; by {', '.join(_ORDERS)} they can")
    with catalog.begin() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()
        asked = _Conditions(connection, now, find)
        _add_words(asked, search.clauses)
        for clause in search.clauses:
            if clause.field != TEXT:
                part = _condition(asked, clause)
                asked.parts.append(f"NOT coalesce({part}, false)" if clause.negated else part)
        count = connection.execute(sa.text(f"SELECT count(*) {_from(asked)}"), asked.bound).scalar_one()
        ids = _page(asked, search, count)
        return Result(count, ids, _facets(asked, search, count))


def _from(asked: _Conditions) -> str:
    words = " JOIN dataset_search ON dataset_search.dataset_id = dataset.id" if asked.query else ""
    return f"FROM dataset{words}" + (f" WHERE {' AND '.join(asked.parts)}" if asked.parts else "")


def _page(asked: _Conditions, search: Search, count: int) -> list[int]:
    if not search.rows or search.start >= count:
        return []
    page = {"rows": search.rows, "start": search.start}
    order = ", ".join(_order(asked, search.order, count))
    statement = sa.text(f"SELECT dataset.id {_from(asked)} ORDER BY {order} LIMIT :rows OFFSET :start")
    return list(asked.connection.scalars(statement, asked.bound | page))


def _order(asked: _Conditions, order: Sequence[tuple[str, bool]], count: int) -> list[str]:
    """The columns of a total order. Relevance counts where there are words and not too many matches to compare."""
    columns = []
    for name, descending in order or _USUAL_ORDER:
        if name == "score" and not (asked.query and count <= MOST_RANKED):
            continue
        columns.append(_ORDERS[name] + " DESC" * descending)
    if all(name != "id" for name, _ in order):
        # In the direction of the column before it, so that one index gives both.
        columns.append("dataset.id" + " DESC" * (bool(columns) and columns[-1].endswith(" DESC")))
    return columns


def _facets(asked: _Conditions, search: Search, count: int) -> dict[str, list[Facet]]:
    found: dict[str, list[Facet]] = {}
    for name in search.facets:
        if name == "organization":
            # Counted before it is joined: by an index alone, where everything is asked for.
            matches = f"SELECT dataset.organization_id, count(*) AS datasets {_from(asked)} GROUP BY 1"
            counting = _OF_ORGANIZATION
        elif name not in _FACETS:
            found[name] = []
            continue
        elif count > MOST_UNFOLDED:
            raise QueryError(
                f"{count} datasets are too many to be counted by {name}; narrow the search to {MOST_UNFOLDED}"
            )
        else:
            matches, counting = f"SELECT dataset.id {_from(asked)}", _FACETS[name]
        limit = None if search.facet_limit < 0 else search.facet_limit
        statement = sa.text(
            f"WITH found AS MATERIALIZED ({matches}) {counting}"
            " ORDER BY datasets DESC, name LIMIT :facet_limit"
        )
        rows = asked.connection.execute(statement, asked.bound | {"facet_limit": limit})
        found[name] = [Facet(row.name, row.title, row.datasets) for row in rows]
    return found


def _add_words(asked: _Conditions, clauses: Iterable[Clause]) -> None:
    """All that is asked of the full-text index, as one question to it."""
    words = [clause for clause in clauses if clause.field == TEXT]
    titles = [clause for clause in clauses if clause.field in _WEIGHTS and not clause.negated]
    parts = [("!! " * clause.negated) + _tsquery(asked, clause.values) for clause in (*words, *titles)]
    if not parts:
        return
    asked_for = sa.text(f"SELECT CAST({' && '.join(parts)} AS text)")
    asked.query = asked.connection.execute(asked_for, asked.bound).scalar_one()
    asked.bound.clear()
    if asked.query:
        asked.bound["query"] = asked.query
        asked.parts.append("dataset_search.document @@ CAST(:query AS tsquery)")


def _tsquery(asked: _Conditions, values: Iterable[Value]) -> str:
    return "(" + " || ".join(_words_of(asked, value) for value in values) + ")"


def _words_of(asked: _Conditions, value: Value) -> str:
    if isinstance(value, Beginning):
        # Letters and digits only: the rest has a meaning of its own in a tsquery.
        letters = "".join(character if character.isalnum() else " " for character in value.text).split()
        if letters:
            place = asked.bind(" & ".join([*letters[:-1], letters[-1] + ":*"]))
            # As it is written, and as its stem: stems are what the index keeps.
            return f"(to_tsquery('simple', {place}) || to_tsquery('english', {place}))"
    elif isinstance(value, Words):
        function = "phraseto_tsquery" if value.is_phrase else "plainto_tsquery"
        return f"{function}('english', {asked.bind(value.text)})"
    raise QueryError("words are looked for as words, phrases, or beginnings of words")


def _condition(asked: _Conditions, clause: Clause) -> str:
    name = clause.field
    if name in _DATES:
        return _any(_between(asked, _DATES[name], value) for value in clause.values)
    if name not in FIELDS:
        raise QueryError(f"nothing is indexed as {name!r}; packages are found by {', '.join(FIELDS)}")
    if Anything() in clause.values:
        return "true"
    if name in _WEIGHTS:
        return _weighed(asked, clause)
    return _exact(asked, name, _texts(clause))


def _exact(asked: _Conditions, name: str, texts: list[str]) -> str:
    if name == "id":
        ids = [found for text in texts if (found := asked.find(text)) is not None]
        return f"dataset.id = ANY (CAST({asked.bind(ids)} AS bigint[]))"
    if name == "organization":
        numbers = [number for text in texts if (number := number_in(Kind.ORGANIZATION, text)) is not None]
        if numbers:
            return f"dataset.organization_id = ANY (CAST({asked.bind(numbers)} AS bigint[]))"
    if name == "tags":
        return _any(_tagged(asked, text) for text in texts)
    if name in _COLUMNS:
        return "(" + _COLUMNS[name].format(texts=f"CAST({asked.bind(texts)} AS text[])") + ")"
    return "true" if _CONSTANTS[name] in (text.lower() for text in texts) else "false"


def _weighed(asked: _Conditions, clause: Clause) -> str:
    """Datasets with words in one part of their record."""
    return (
        "EXISTS (SELECT FROM dataset_search AS words WHERE words.dataset_id = dataset.id"
        f" AND ts_filter(words.document, '{_WEIGHTS[clause.field]}') @@ {_tsquery(asked, clause.values)})"
    )


def _tagged(asked: _Conditions, tag: str) -> str:
    """Datasets with a keyword; the words of it narrow them down first, for keywords have no index of their own."""
    place = asked.bind(tag)
    words = asked.connection.execute(
        sa.text("SELECT CAST(plainto_tsquery('english', :tag) AS text)"), {"tag": tag}
    )
    narrow = words.scalar_one()
    exact = f"{place} = ANY (dataset.keywords)"
    if not narrow:
        return exact
    return (
        f"({exact} AND dataset.id IN (SELECT words.dataset_id FROM dataset_search AS words"  # noqa: S608
        f" WHERE words.document @@ CAST({asked.bind(narrow)} AS tsquery)))"
    )


def _between(asked: _Conditions, column: str, value: Value) -> str:
    if isinstance(value, Anything):
        return "true"
    if not isinstance(value, Between):
        raise QueryError("dates are asked for as ranges: metadata_modified:[2026-01-01T00:00:00Z TO *]")
    parts = []
    if (low := moment_of(value.low, asked.now)) is not None:
        parts.append(f"{column} {'>=' if value.with_low else '>'} {asked.bind(low)}")
    if (high := moment_of(value.high, asked.now)) is not None:
        parts.append(f"{column} {'<=' if value.with_high else '<'} {asked.bind(high)}")
    return " AND ".join(parts) or "true"


def _any(parts: Iterable[str]) -> str:
    return "(" + " OR ".join(parts) + ")"


def _texts(clause: Clause) -> list[str]:
    texts = [value.text for value in clause.values if isinstance(value, Words)]
    if len(texts) < len(clause.values):
        raise QueryError(
            f"{clause.field!r} is compared with whole values; ranges and stars are for words and dates"
        )
    return texts
