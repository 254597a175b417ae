"""What became of a record: the one that is known compared with the one that comes, field by field.

The differences are worked out before the older record is replaced, and are kept with it;
so a version can always be read together with what changed after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.tables_catalogue import dataset
from shelter_pipeline.domain.changes import is_substantive, record_differences
from shelter_pipeline.domain.records import Json


def changes_of(connection: Connection, coming: Sequence[tuple[int, bytes]]) -> dict[int, tuple[Json, bool]]:
    """For each (dataset, new raw record): the changes, and whether they are substantive."""
    found: dict[int, tuple[Json, bool]] = {}
    after = dict(coming)
    for dataset_id, before in _raw_records(connection, list(after)):
        changes = record_differences(before.encode(), after[dataset_id])
        found[dataset_id] = (msgspec.to_builtins(changes), is_substantive(changes))
    return found


def _raw_records(connection: Connection, ids: list[int]) -> Sequence[tuple[int, str]]:
    rows = connection.execute(
        sa.select(dataset.c.id, dataset.c.raw).where(
            dataset.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.BigInteger)))
        )
    )
    return [(row.id, row.raw) for row in rows]
