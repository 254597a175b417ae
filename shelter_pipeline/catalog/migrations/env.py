"""Alembic's entry: runs on the connection that `catalog.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from shelter_pipeline.catalog.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True)
context.run_migrations()
