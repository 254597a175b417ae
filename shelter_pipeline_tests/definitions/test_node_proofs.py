"""The hourly look after volunteers' copies, as Dagster runs it."""

from __future__ import annotations

from shelter_pipeline_tests.support.dagster import Deployment
from shelter_pipeline_tests.support.volunteers import change, rows


def test_the_hourly_run_weighs_copies_and_shows_how_nodes_stand(deployment: Deployment) -> None:
    with deployment.workplace() as workplace:
        change(
            workplace.catalog,
            "WITH n AS (INSERT INTO node (name, trust, last_seen_at)"
            "           VALUES ('whale', 0.5, now() - interval '10 days') RETURNING id),"
            " b AS (INSERT INTO blob (sha256, size) VALUES (:sha, 5)),"
            " p AS (INSERT INTO proof (node_id, sha256, size, kind, state, deadline, answered_at)"
            "       SELECT id, :sha, 5, 'upload', 'passed', now(), now() FROM n)"
            " INSERT INTO copy (sha256, node_id, proved_by) SELECT :sha, id, 'upload' FROM n",
            sha="a" * 64,
        )

        result = deployment.run("node_proofs")

        assert result.success
        assert rows(workplace.catalog, "SELECT counts FROM copy") == [(0.5,)]
    [output] = [event for event in result.all_node_events if event.is_successful_output]
    shown = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert shown["copies reweighed"] == 1
    assert "| whale |" in str(shown["nodes, least trusted first"])
