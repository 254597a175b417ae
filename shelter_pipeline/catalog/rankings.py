"""Rankings from outside: how often what was used, matched to datasets set by set, kept under a name.

A ranking is replaced whole in one transaction; the old one stands until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement, storable
from shelter_pipeline.catalog.tables_priority import rank, ranking
from shelter_pipeline.domain.errors import SetupError


class Usage(NamedTuple):
    """How often a link was used, and on which page; host and slug are those of a dataset's own page."""

    link: str
    page: str
    page_host: str | None
    page_slug: str | None
    events: int


@dataclass(frozen=True, slots=True)
class RankingCounts:
    """Usages and their events: all, those matched by their link, and those matched by their page alone."""

    rows: int
    events: int
    link_rows: int
    link_events: int
    page_rows: int
    page_events: int
    datasets: int


def replace_ranking(
    catalog: Catalog, name: str, *, source: str, usages: Iterable[Usage], refused: Callable[[], int]
) -> RankingCounts:
    """Keep the ranking of these usages under a name, in place of one that has it.

    `refused` is asked when the last usage has been read. Whatever `usages` raises undoes all.
    """
    with catalog.begin() as connection:
        connection.execute(statement("stage_usage"))
        copy_rows(
            connection,
            "staged_usage (link, page, page_host, page_slug, events)",
            (_storable(usage) for usage in usages),
        )
        connection.execute(sa.text("ANALYZE staged_usage"))
        fresh = insert(ranking).values(name=name, source=storable(source))
        identity = connection.scalar(
            fresh.on_conflict_do_update(
                index_elements=["name"], set_={"source": fresh.excluded.source, "imported_at": sa.func.now()}
            ).returning(ranking.c.id)
        )
        connection.execute(sa.delete(rank).where(rank.c.ranking_id == identity))
        row = connection.execute(statement("rank_usage"), {"ranking_id": identity}).mappings().one()
        counts = RankingCounts(**row)
        connection.execute(
            sa.update(ranking)
            .where(ranking.c.id == identity)
            .values(
                rows=counts.rows + refused(),
                refused=refused(),
                events=counts.events,
                matched_rows=counts.link_rows + counts.page_rows,
                matched_events=counts.link_events + counts.page_events,
            )
        )
        return counts


def _storable(usage: Usage) -> Usage:
    if "\x00" in usage.link or "\x00" in usage.page or "\x00" in (usage.page_slug or ""):
        return Usage(storable(usage.link), storable(usage.page), usage.page_host, None, usage.events)
    return usage


def list_rankings(catalog: Catalog) -> list[dict[str, Any]]:
    """Every ranking by name, with what was read, what was matched, and how many datasets it ranks."""
    return [dict(row) for row in catalog.rows("list_rankings")]


def ranking_top(catalog: Catalog, name: str, limit: int) -> list[dict[str, Any]]:
    """The first `limit` datasets of a ranking: `{rank, dataset, organization, title, events}`."""
    return [dict(row) for row in catalog.rows("ranking_top", ranking=name, limit=limit)]


def find_ranking(catalog: Catalog, name: str) -> dict[str, Any]:
    """The ranking of this name, as in the list. SetupError naming the known ones if there is none."""
    known = list_rankings(catalog)
    for row in known:
        if row["name"] == name:
            return row
    names = ", ".join(row["name"] for row in known) or "none yet"
    raise SetupError(f"there is no ranking {name!r}; known rankings: {names}")


def remove_ranking(catalog: Catalog, name: str) -> int:
    """Forget a ranking; returns how many datasets it ranked. SetupError if there is none of this name."""
    identity = find_ranking(catalog, name)["id"]
    with catalog.begin() as connection:
        ranked = connection.execute(sa.delete(rank).where(rank.c.ranking_id == identity)).rowcount
        connection.execute(sa.delete(ranking).where(ranking.c.id == identity))
        return ranked
