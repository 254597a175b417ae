-- The revision that the schema is at.
SELECT version_num FROM alembic_version;
