"""A catalog with many of everything that lists show: organizations, files in every state, losses, batches, nodes."""

from __future__ import annotations

from shelter_pipeline.catalog.connection import Catalog

FILES_PER_DATASET = 2
# `orgs` organizations, `datasets` datasets; each has two files. Numbers decide what becomes of each.
_KEPT = "mod(hashint8(id) >> 4, 3) <> 0"
_FILL = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked up
    "INSERT INTO portal (slug, kind, url) VALUES ('crowd', 'datagov', 'https://crowd.example.gov')",
    "INSERT INTO store (name) VALUES ('here')",
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'crowd-' || n, 'crowd-' || n,"
        " (ARRAY['National','State','County','City','Regional'])[1 + mod(n, 5)] || ' '"
        " || (ARRAY['Ocean','Air Quality','Forest','Geological','Weather','Health','Water'])[1 + mod(n, 7)] || ' '"
        " || (ARRAY['Service','Office','Administration','Survey'])[1 + mod(n, 4)] || ' ' || n"
        " FROM generate_series(1, {orgs}) AS n"
    ),
    "INSERT INTO host (name) SELECT 'files' || n || '.example.gov:443' FROM generate_series(0, 49) AS n",
    (
        "INSERT INTO harvest (portal_id, verdict, started_at, finished_at, seen, expected, new, changed, delisted)"
        " SELECT 1, (ARRAY['complete','complete','plausible','partial'])[1 + mod(n, 4)],"
        " now() - (15 - n) * interval '1 day', now() - (15 - n) * interval '1 day' + interval '40 minutes',"
        " {datasets}, {datasets}, 10 * n, 3 * n, mod(n, 3) FROM generate_series(1, 14) AS n"
    ),
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash, modified, state)"
        " SELECT 1, CASE WHEN mod(n, 4) = 0 THEN 1 + mod(n / 4, 17) ELSE 1 + mod(n * 7, {orgs}) END,"
        " 'set-' || n, 'set-' || n,"
        " (ARRAY['Daily rainfall','Snow depth','Air quality index','Sea surface temperature','Forest inventory'])"
        "[1 + mod(n, 5)] || ' of region ' || n, repeat('record ', 20), sha256(''),"
        " timestamptz '2020-01-01' + n * interval '1 minute',"
        " CASE WHEN mod(n, 50) = 0 THEN 'absent' ELSE 'listed' END FROM generate_series(1, {datasets}) AS n"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, discovered_at, outcome)"
        " SELECT id, 'r' || f, f, 'download', 'https://files' || mod(id,"
        " 50) || '.example.gov/' || id || '/' || f || '.csv',"
        " now(), CASE WHEN mod(id, 97) = 0 THEN 'landing-page-only' ELSE 'found' END"
        " FROM dataset, generate_series(1, 2) AS f"
    ),
    (
        "INSERT INTO blob (sha256, size)"
        " SELECT encode(sha256(CAST(url AS bytea)), 'hex'), 1000 + mod(id * 7919, 90000000) FROM resource"
        " WHERE {kept}"
    ),
    (
        "INSERT INTO asset (url, url_hash, host, state, reason, sha256, size, expected_size, attempts)"
        " SELECT url, sha256(CAST(url AS bytea)), 'files' || mod(dataset_id, 50) || '.example.gov:443',"
        " CASE WHEN {kept} THEN 'held' WHEN mod(hashint8(id) >> 8, 3) = 0 THEN 'failed' WHEN mod(id,"
        " 400) = 3 THEN 'dead'"
        " ELSE 'pending' END,"
        " CASE WHEN {kept} THEN 'stored' WHEN mod(hashint8(id) >> 8, 3) = 0"
        " THEN (ARRAY['not-found','forbidden','html-instead','robots','dns-failed'])[1 + mod(dataset_id, 5)]"
        " WHEN mod(id, 400) = 3 THEN 'interrupted' WHEN mod(id, 5) = 0 THEN 'too-slow' END,"
        " CASE WHEN {kept} THEN encode(sha256(CAST(url AS bytea)), 'hex') END,"
        " CASE WHEN {kept} THEN 1000 + mod(id * 7919, 90000000) END, 1000 + mod(id * 7919, 90000000),"
        " mod(id, 4) FROM resource ORDER BY id"
    ),
    "INSERT INTO asset_resource (asset_id, resource_id, via) SELECT id, id, 'direct' FROM asset",
    "INSERT INTO copy (sha256, store_id) SELECT sha256, 1 FROM asset WHERE state = 'held' AND mod(id, 500) <> 1",
    (
        "INSERT INTO node (name, trust, last_seen_at, blocked, blocked_why)"
        " SELECT (ARRAY['blue','quiet','brave','tidy'])[1 + mod(n, 4)] || '-' ||"
        " (ARRAY['whale','otter','finch'])[1 + mod(n, 3)] || '-' || n, mod(n * 37, 100) / 100.0,"
        " now() - mod(n, 9) * interval '3 minutes', mod(n, 20) = 19, CASE WHEN mod(n,"
        " 20) = 19 THEN 'sent other bytes' END"
        " FROM generate_series(1, 120) AS n"
    ),
    (
        "INSERT INTO copy (sha256, node_id, state, proved_by, counts)"
        " SELECT sha256, 1 + mod(id * id, 120), CASE WHEN mod(id, 11) = 0 THEN 'claimed' ELSE 'good' END, 'upload', 1"
        " FROM asset WHERE state = 'held' AND mod(id, 7) < 3 AND mod(id, 500) <> 1"
    ),
    (
        "INSERT INTO batch (key, organization_id, host, number, state, attempt, urgent, score, files, bytes,"
        " started_at,"
        " finished_at, run_id)"
        " SELECT 'crowd-' || o || '.mixed.' || b, o, CASE WHEN mod(o, 2) = 0 THEN 'files1.example.gov:443' END, b,"
        " CASE WHEN b = 1 THEN 'done' WHEN mod(o, 97) = 5 THEN 'running' WHEN mod(o,"
        " 211) = 7 THEN 'failed' ELSE 'planned' END,"
        " 1 + mod(o, 3), mod(o, 301) = 9, mod(o * 13, 100) / 100.0, 40, 40000000,"
        " CASE WHEN b = 1 OR mod(o, 97) = 5 OR mod(o, 211) = 7 THEN now() - interval '20 minutes' END,"
        " CASE WHEN b = 1 OR mod(o, 211) = 7 THEN now() - interval '4 minutes' END,"
        " CASE WHEN b = 1 OR mod(o, 97) = 5 OR mod(o, 211) = 7 THEN md5(o || '.' || b) END"
        " FROM generate_series(1, {orgs}) AS o, generate_series(1, 2) AS b"
    ),
    (
        "UPDATE asset SET batch_id = batch.id FROM batch, resource, dataset"
        " WHERE resource.id = asset.id AND dataset.id = resource.dataset_id"
        " AND batch.organization_id = dataset.organization_id AND batch.state = 'failed'"
    ),
    (
        "INSERT INTO capture (asset_id, batch_id, verdict, reason, sha256, size, finished_at)"
        " SELECT asset.id, batch.id,"
        " CASE asset.state WHEN 'held' THEN 'stored' ELSE CASE asset.reason WHEN 'robots' THEN 'refused'"
        " WHEN 'html-instead' THEN 'suspect' WHEN 'dns-failed' THEN 'transient' ELSE 'permanent' END END,"
        " asset.reason, asset.sha256, asset.size, now() - interval '10 minutes'"
        " FROM asset JOIN resource ON resource.id = asset.id JOIN dataset ON dataset.id = resource.dataset_id"
        " LEFT JOIN batch ON batch.organization_id = dataset.organization_id AND batch.state = 'running'"
        " WHERE asset.state IN ('held', 'failed') ORDER BY asset.id"
    ),
    (
        "INSERT INTO testimony (node_id, asset_id, capture_id, sha256, began_at, wanted)"
        " SELECT 1 + mod(id, 120), asset_id, id, sha256, now(), false FROM capture"
        " WHERE verdict = 'stored' AND mod(id, 40) = 0"
    ),
    (
        "INSERT INTO priority (asset_id, score, level, popularity, threat)"
        " SELECT id, mod(id * 31, 1000) / 1000.0, 1 + mod(id * 31, 1000) / 100, 0.2, 0.3 FROM asset"
    ),
    (
        "INSERT INTO loss (portal_id, dataset_id, kind, state, harvest_id, misses, suspected_at, last_missed_at,"
        " evidence)"
        " SELECT 1, id, 'delisted', CASE WHEN mod(id, 150) = 0 THEN 'confirmed' ELSE 'suspected' END, 14,"
        " 1 + mod(id, 5),"
        " now() - interval '20 days', now() - interval '1 day',"
        " jsonb_build_object('harvests', '[12, 13, 14]'::jsonb, 'last_seen_by', 9, 'asked', false)"
        " FROM dataset WHERE state = 'absent' ORDER BY id"
    ),
    (
        "INSERT INTO loss (portal_id, asset_id, kind, state, suspected_at, evidence)"
        " SELECT 1, id, CASE WHEN reason = 'html-instead' THEN 'replaced' ELSE 'link-dead' END, 'suspected',"
        " now() - interval '3 days', jsonb_build_object('reason', reason, 'status', 404, 'final_url', url)"
        " FROM asset WHERE state = 'failed' AND reason IN ('not-found', 'html-instead') AND mod(id, 9) = 0 ORDER BY id"
    ),
    "ANALYZE",
)


def a_crowd(catalog: Catalog, *, organizations: int, datasets: int) -> None:
    """Fill an empty catalog with so many organizations and datasets, of two files each."""
    with catalog.begin() as connection:
        for one in _FILL:
            for name, text in (("orgs", str(organizations)), ("datasets", str(datasets)), ("kept", _KEPT)):
                one = one.replace(f"{{{name}}}", text)  # noqa: PLW2901
            connection.exec_driver_sql(one)
