"""How a database does, asked without changing anything: whether it keeps what it is given, and has room for us."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.impatience import Impatience

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_SECONDS = 3.0


@contextmanager
def glance(url: str) -> Iterator[Catalog]:
    """A database for the length of a block, for whoever does not wait: a server that hangs is one that is away."""
    catalog = Catalog(url, pool_size=1, impatience=Impatience(_PATIENCE_SECONDS))
    try:
        yield catalog
    finally:
        catalog.close()


def server_condition(catalog: Catalog) -> dict[str, Any]:
    """What the server of this database says of itself, and what our role may do. Raises CatalogAwayError."""
    return dict(catalog.rows("server_condition")[0])


def engine_condition(catalog: Catalog) -> dict[str, Any]:
    """`{has_tables, may_write}` of Dagster's own database. Raises CatalogAwayError."""
    return dict(catalog.rows("engine_condition")[0])
