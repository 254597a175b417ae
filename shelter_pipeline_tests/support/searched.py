"""The words of datasets put where searches look for them, as the catalog's own refresh does."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog

_INDEX = """
INSERT INTO dataset_search (dataset_id, record_hash, title, document)
SELECT dataset.id, dataset.record_hash, setweight(to_tsvector('english', dataset.title), 'A'),
       setweight(to_tsvector('english', dataset.title), 'A')
       || setweight(to_tsvector('english', array_to_string(dataset.keywords, ' ') || ' ' || organization.name), 'B')
       || setweight(to_tsvector('english', coalesce(dataset.description, '')), 'D')
  FROM dataset
  JOIN organization ON organization.id = dataset.organization_id
    ON CONFLICT (dataset_id) DO UPDATE
   SET record_hash = excluded.record_hash, title = excluded.title, document = excluded.document
"""


def index_words(catalog: Catalog) -> None:
    """Make every dataset findable by its words."""
    with catalog.begin() as connection:
        connection.execute(sa.text(_INDEX))
