"""What a backup has to know of a database, and what one that came back from a backup has to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.connection import Catalog, statement


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at a database: the server's clock, its major version, the schema's revision, and its tables."""

    at: datetime
    server_major: int
    revision: str | None
    tables: int


def standing(catalog: Catalog) -> Standing:
    """How the database stands now; `revision` is None where no Shelter has been."""
    with catalog.begin() as connection:
        found = connection.execute(statement("standing")).mappings().one()
        revision = connection.scalar(statement("revision")) if found["is_migrated"] else None
    return Standing(found["at"], found["server_major"], revision, found["tables"])


def leap_numbers(catalog: Catalog) -> int:
    """Let no number be given out again that may have been given out since the backup; returns how many counters leapt.

    A worker that still holds a claim of the lost database must not meet its token with another file.
    """
    return len(catalog.rows("leap_numbers"))


def era(catalog: Catalog) -> int:
    """Which life of the catalog this is: 0, or a number of its own for each restore.

    Whoever remembers keys of ours elsewhere tells by it those of a lost database from those of this one.
    """
    return int(catalog.rows("era")[0]["era"])
