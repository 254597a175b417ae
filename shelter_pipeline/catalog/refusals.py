"""Records that cannot be kept, each once a harvest, with the field at fault and how the record begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import copy_rows, statement, storable
from shelter_pipeline.domain.records import Refusal

_RAW_SHOWN = 2000
# A rival version of a dataset is refused under the identity of the version that was kept.
_RIVALS = "identifier"
_Row: TypeAlias = tuple[int, int, str | None, str, str, str]


def record_refusals(connection: Connection, harvest_id: int, refusals: Sequence[Refusal]) -> int:
    """Keep what this harvest refused and has not refused before; returns how many those are.

    Pages may come twice, where windows meet or a crawl has to begin anew. Only a record
    with an identity can be told to be the same.
    """
    rows = list(_fresh(connection, harvest_id, [_row(harvest_id, one) for one in refusals]))
    if rows:
        copy_rows(connection, "refusal (harvest_id, position, identifier, field, problem, raw)", rows)
    return len(rows)


def _row(harvest_id: int, one: Refusal) -> _Row:
    identifier = None if one.identifier is None else storable(one.identifier)
    raw = storable(one.raw[:_RAW_SHOWN])
    return (harvest_id, one.position, identifier, storable(one.field), storable(one.problem), raw)


def _fresh(connection: Connection, harvest_id: int, rows: Sequence[_Row]) -> Iterable[_Row]:
    identifiers = [identifier for _, _, identifier, field, _, _ in rows if identifier and field != _RIVALS]
    known: set[tuple[str, str, str]] = set()
    if identifiers:
        parameters = {"harvest_id": harvest_id, "identifiers": identifiers}
        known = {tuple(row) for row in connection.execute(statement("known_refusals"), parameters)}
    for row in rows:
        _, _, identifier, field, _, raw = row
        if identifier is None or field == _RIVALS:
            yield row
        elif (identifier, field, raw) not in known:
            known.add((identifier, field, raw))
            yield row
