"""Read datasets: pages of them by filter or by words, and one with its links, its files and its losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from shelter_pipeline.catalog import dataset_reads, search
from shelter_pipeline.catalog.file_reads import files_of_dataset
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.catalog.summaries import progress_of
from shelter_pipeline.domain.search_words import read_marks, take_apart
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.pages import Page, by_id, organization_named, portal_named
from shelter_pipeline.operations.read_files import file_view, resource_view
from shelter_pipeline.operations.workplace import Workplace

RESOURCES_SHOWN, FILES_SHOWN = 200, 20
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class DatasetQuestion:
    """Which datasets are asked for, and in which order; `q` has an order of its own."""

    q: str | None = None
    organization: str | None = None
    portal: str | None = None
    state: str | None = None
    kind: str | None = None
    modified_since: datetime | None = None
    slug: str | None = None
    identifier: str | None = None
    url: str | None = None
    order: Literal["id", "modified"] = "id"


def list_datasets(workplace: Workplace, question: DatasetQuestion, page: Page) -> dict[str, Any]:
    """`{items, next}`: datasets by id, latest first, or the most relevant first.

    BadCursorError for a cursor of another question, UnknownNameError for an organization or
    portal that is not there, RefusedError for a URL that is none, TooBroadError for what
    takes too long.
    """
    if question.q is not None:
        found = _search(workplace, question.q, question, page)
        return {"items": found["items"], "next": found["next"]}
    asked = asdict(question)
    filters = _filters(workplace, question)
    if question.order == "modified":
        before = page.begins(asked, datetime, int)
        rows = dataset_reads.list_latest(workplace.catalog, filters, before=before, limit=page.rows)
        return page.of(_views(rows), asked, lambda row: (row["modified"], row["id"]))
    rows = dataset_reads.list_datasets(
        workplace.catalog, filters, after=page.begins_after_id(asked), limit=page.rows
    )
    return page.of(_views(rows), asked, by_id)


def search_datasets(workplace: Workplace, q: str, question: DatasetQuestion, page: Page) -> dict[str, Any]:
    """`{items, next, ranked, more, exact}`: the most relevant first, each with its words marked.

    `ranked` is how many were compared and `more` says that more match; `exact` are datasets
    of which `q` is the slug, the identifier or a link. Errors as `list_datasets`.
    """
    found = _search(workplace, q, question, page)
    marked = search.snippets(workplace.catalog, _words(q), [item["id"] for item in found["items"]])
    for item in found["items"]:
        title, snippet = (
            read_marks(marked.get(item["id"], {}).get(name, ""), search.BEGIN, search.END)
            for name in ("title", "snippet")
        )
        item["title_marks"] = title.marks
        item["snippet"], item["snippet_marks"] = snippet
    return {**found, "exact": _exactly(workplace, q) if page.after is None else []}


def read_dataset(
    workplace: Workplace, dataset_id: int, *, links: int = RESOURCES_SHOWN, files: int = FILES_SHOWN
) -> dict[str, Any] | None:
    """One dataset whole, with its first links and the first files of each; None if there is none of this id."""
    found = dataset_reads.read_dataset(workplace.catalog, dataset_id)
    if found is None:
        return None
    first, found_in = files_of_dataset(workplace.catalog, dataset_id, resources=links, files=files)
    return {
        **_view(found, most=dataset_reads.MOST_FILES),
        "links": [
            {**resource_view(link), "files_found": [file_view(card) for card in found_in.get(link["id"], ())]}
            for link in first
        ],
    }


def dataset_card(workplace: Workplace, dataset_id: int) -> dict[str, Any] | None:
    """One dataset as in lists; None if there is none of this id."""
    found = dataset_reads.read_card(workplace.catalog, dataset_id)
    return None if found is None else _view(found, most=dataset_reads.MOST_FILES_LISTED)


def portal_record(workplace: Workplace, dataset_id: int) -> str | None:
    """The portal's own record as it stands, canonical JSON; None if there is no such dataset."""
    return dataset_reads.read_portal_record(workplace.catalog, dataset_id)


def _search(workplace: Workplace, q: str, question: DatasetQuestion, page: Page) -> dict[str, Any]:
    asked = {**asdict(question), "q": q, "order": "relevance"}
    after = page.begins(asked, float, int)
    filters = search.SearchFilters(
        organization_named(workplace, question.organization),
        portal_named(workplace, question.portal),
        question.state,
        question.kind,
        question.modified_since,
    )
    hits = search.search_datasets(workplace.catalog, _words(q), filters, after=after, limit=page.rows)
    found = page.of(_views(hits.cards), asked, lambda row: (row["rank"], row["id"]))
    return {**found, "ranked": hits.found, "more": hits.capped}


def _words(q: str) -> search.Words:
    return search.Words(*take_apart(q))


def _exactly(workplace: Workplace, q: str) -> Rows:
    """Datasets that the text names rather than describes."""
    named = q.strip()
    if not named or " " in named:
        return []
    if "://" in named:
        return _named(workplace, DatasetQuestion(url=named))
    by_slug, by_identifier = (
        _named(workplace, one) for one in (DatasetQuestion(slug=named), DatasetQuestion(identifier=named))
    )
    return list({item["id"]: item for item in [*by_slug, *by_identifier]}.values())


def _named(workplace: Workplace, question: DatasetQuestion) -> Rows:
    rows = dataset_reads.list_datasets(
        workplace.catalog, _filters(workplace, question), after=0, limit=_MOST_NAMED
    )
    return _views(rows)


def _filters(workplace: Workplace, question: DatasetQuestion) -> dataset_reads.DatasetFilters:
    return dataset_reads.DatasetFilters(
        organization_named(workplace, question.organization),
        portal_named(workplace, question.portal),
        question.state,
        question.kind,
        question.modified_since,
        question.slug,
        question.identifier,
        None if question.url is None else parse_url(question.url).digest,
    )


def _views(rows: Rows) -> Rows:
    return [_view(row, most=dataset_reads.MOST_FILES_LISTED) for row in rows]


def _view(card: Mapping[str, Any], *, most: int) -> dict[str, Any]:
    """A dataset as it is shown: what its counts come to in a word, and whether they were counted to the end."""
    progress = progress_of(card)
    counts = ("waiting_files", "resting_files", "failed", "not_files", "undiscovered")
    shown = {name: value for name, value in card.items() if name not in counts}
    return {
        **shown,
        "verdict": progress.verdict,
        "failed": sorted(progress.failed),
        "not_files": sorted(progress.not_files),
        "files_are_more": card["files"] >= most,
    }
