"""A rescue half-way, in the catalog and in Dagster's own database, for the benchmark of dispatching: filled by SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog

FILES_A_BATCH = 4
_EVENTS_EACH_RUN = 18  # what one download leaves in the event log


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is. Three batches of ten are done, one of a hundred has failed, the rest waits."""

    organizations: int
    batches: int
    runs: int


# Organization 1 has a quarter of the batches; one host in four is of mixed batches.
_FILL = (
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL synchronous_commit = off",
    ("INSERT INTO portal (slug, kind, url, nightly) VALUES ('big', 'datagov', 'https://a.example', true)"),
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT (SELECT id FROM portal WHERE slug = 'big'), 'org-' || n, 'org-' || n, 'Organization ' || n"
        "   FROM generate_series(1, :organizations) AS n"
    ),
    "INSERT INTO host (name) SELECT 'h' || n || '.example:443' FROM generate_series(1, 3000) AS n",
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
        " SELECT (SELECT id FROM portal WHERE slug = 'big'), id, 'd' || id, 'd' || id, 'Dataset ' || id, '{}',"
        " sha256(CAST(key AS bytea)) FROM organization"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, discovered_at, outcome)"
        " SELECT id, 'r', 0, 'download', 'https://a.example/', now(), 'found' FROM dataset"
    ),
    (
        "INSERT INTO batch (key, organization_id, host, number, state, score, files, bytes, urgent, finished_at)"
        " SELECT 'org-' || org || '.' || CASE WHEN mod(n, 4) = 0 THEN 'mixed' ELSE 'h' || 1 + mod(n * 7919, 3000) END"
        "        || '.' || n,"
        "        (SELECT id FROM organization WHERE key = 'org-' || org),"
        "        CASE WHEN mod(n, 4) > 0 THEN 'h' || 1 + mod(n * 7919, 3000) || '.example:443' END, n,"
        "        CASE WHEN mod(n, 10) < 3 THEN 'done' WHEN mod(n, 100) = 99 THEN 'failed' ELSE 'planned' END,"
        "        mod(n * 15485863, 1000003) / 1000003.0, :files, 1000000, false,"
        "        CASE WHEN mod(n, 10) < 3 THEN now() - make_interval(secs => n) END"
        "   FROM (SELECT n, CASE WHEN mod(n, 4) = 1 THEN 1 ELSE 1 + mod(n / 4 * 31, :organizations) END AS org"
        "           FROM generate_series(CAST(1 AS bigint), :batches) AS n) AS numbered"
    ),
    (
        "INSERT INTO asset (url, url_hash, host, state, reason, size, sha256, batch_id, next_attempt_at)"
        " SELECT 'https://h.example/' || batch.id || '/' || n, sha256(CAST(batch.id || '/' || n AS bytea)),"
        "        coalesce(batch.host, 'h1.example:443'),"
        "        CASE WHEN batch.state = 'done' THEN 'held' ELSE 'pending' END,"
        "        CASE WHEN batch.state = 'done' THEN 'ok' END, 250000,"
        "        CASE WHEN batch.state = 'done' THEN encode(sha256(CAST(batch.id || '/' || n AS bytea)), 'hex') END,"
        "        batch.id,"
        "        CASE WHEN batch.state <> 'done' THEN now() - interval '1 hour' END"
        "   FROM batch, generate_series(1, :files) AS n"
    ),
    (
        "INSERT INTO asset_resource (asset_id, resource_id, via)"
        " SELECT asset.id, resource.id, 'direct' FROM asset JOIN batch ON batch.id = asset.batch_id"
        "   JOIN dataset ON dataset.organization_id = batch.organization_id"
        "   JOIN resource ON resource.dataset_id = dataset.id"
    ),
)


def fill_catalog(catalog: Catalog, scale: Scale) -> None:
    """Fill a migrated catalog that has no organization yet."""
    numbers = {"organizations": scale.organizations, "batches": scale.batches, "files": FILES_A_BATCH}
    with catalog.begin() as connection:
        for one in _FILL:
            connection.execute(
                sa.text(one), {name: value for name, value in numbers.items() if f":{name}" in one}
            )
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def batch_keys(catalog: Catalog) -> list[str]:
    """The key of every batch, in the order in which they were planned."""
    with catalog.begin() as connection:
        return list(connection.scalars(sa.text("SELECT key FROM batch ORDER BY id")))


def fill_dagster(instance: dg.DagsterInstance, url: str, scale: Scale, batches: Sequence[str]) -> None:
    """Partitions, and `runs` downloads that ended long ago with all that they leave in Dagster's tables."""
    instance.add_dynamic_partitions("organization", [f"org-{n}" for n in range(1, scale.organizations + 1)])
    instance.add_dynamic_partitions("batch", list(batches))
    first = batches[0]
    event = dg.AssetMaterialization("download_batches", partition=first, metadata={"files settled": 500})
    instance.report_runless_asset_event(event)
    run = instance.add_run(
        dg.DagsterRun(
            job_name="download",
            status=dg.DagsterRunStatus.SUCCESS,
            tags={
                "dagster/partition": first,
                "dagster/run_key": f"{first}:1",
                "dagster/sensor_name": "download_sensor",
                "shelter/batch": first,
                "shelter/organization": "org-1",
            },
        )
    )
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in _COPIES:
            connection.execute(
                sa.text(statement),
                {
                    name: value
                    for name, value in {
                        "run": run.run_id,
                        "first": first,
                        "keys": list(batches[1 : scale.runs]),
                        "events": _EVENTS_EACH_RUN,
                    }.items()
                    if f":{name}" in statement
                },
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


# One run and one materialization are written by Dagster itself; the others are like them but for their names.
_KEYS = "unnest(CAST(:keys AS text[])) WITH ORDINALITY AS other (key, number)"
_COPIES = (
    (
        "INSERT INTO runs (run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, create_timestamp,"
        " update_timestamp, start_time, end_time)"
        " SELECT 'copy-' || other.number, snapshot_id, pipeline_name, mode, status,"
        "        replace(replace(run_body, run_id, 'copy-' || other.number), :first, other.key), other.key,"
        "        create_timestamp, update_timestamp, start_time, end_time"
        f"  FROM runs, {_KEYS} WHERE run_id = :run"
    ),
    (
        "INSERT INTO run_tags (run_id, key, value)"
        " SELECT 'copy-' || other.number, run_tags.key, replace(run_tags.value, :first, other.key)"
        f"  FROM run_tags, {_KEYS} WHERE run_id = :run"
    ),
    (
        "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)"
        " SELECT 'copy-' || other.number, replace(event, :first, other.key),"
        "        CASE WHEN copy = 1 THEN dagster_event_type ELSE 'ENGINE_EVENT' END, timestamp, step_key,"
        "        CASE WHEN copy = 1 THEN asset_key END, CASE WHEN copy = 1 THEN other.key END"
        f"  FROM event_logs, {_KEYS}, generate_series(1, :events) AS copy"
        "  WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
    ),
)
