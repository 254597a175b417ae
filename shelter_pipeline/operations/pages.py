"""Pages of lists: where one begins and ends, and the names that filters are given by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.dataset_reads import Named, find_organization, find_portal_named
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.domain.cursors import make_cursor, read_cursor
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.operations.workplace import Workplace

Key = Callable[[Mapping[str, Any]], Sequence[int | float | datetime]]


class UnknownNameError(PermanentError):
    """A filter names something that the catalog does not have."""

    default_reason = "unknown-name"


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked of a list besides its filters: how many rows at most, and after which cursor."""

    limit: int = 20
    after: str | None = None

    @property
    def rows(self) -> int:
        """How many rows to read: one more than asked for, which tells whether there is a next page."""
        return self.limit + 1

    def begins(self, question: Mapping[str, Any], *kinds: type) -> tuple[Any, ...] | None:
        """The sort values after which the page begins; None for the first. BadCursorError as `read_cursor`."""
        return None if self.after is None else read_cursor(self.after, question, *kinds)

    def begins_after_id(self, question: Mapping[str, Any]) -> int:
        """The id after which the page begins; 0 for the first. BadCursorError as `read_cursor`."""
        place = self.begins(question, int)
        return 0 if place is None else int(place[0])

    def of(self, rows: Rows, question: Mapping[str, Any], key: Key) -> dict[str, Any]:
        """`{items, next}`: the page, and the cursor of the next one or None."""
        items = rows[: self.limit]
        return {
            "items": items,
            "next": make_cursor(question, key(items[-1])) if len(rows) > self.limit else None,
        }


def by_id(row: Mapping[str, Any]) -> tuple[int]:
    """The sort values of lists that are ordered by id."""
    return (row["id"],)


def organization_named(workplace: Workplace, key: str | None) -> int | None:
    """The id of the organization of this key; UnknownNameError if there is none, None for None."""
    return _id_of(find_organization(workplace.catalog, key), "organization", key) if key is not None else None


def portal_named(workplace: Workplace, slug: str | None) -> int | None:
    """The id of the portal of this slug; UnknownNameError if there is none, None for None."""
    return _id_of(find_portal_named(workplace.catalog, slug), "portal", slug) if slug is not None else None


def _id_of(found: Named | None, what: str, name: str) -> int:
    if found is None:
        raise UnknownNameError(
            f"there is no {what} {name!r}; /organizations lists the organizations with their portals"
        )
    return found.id
