"""Alembic's revisions of the Rescue DB, applied by `catalog.migrate` and never by hand."""
