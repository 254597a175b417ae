"""Real runs of the real jobs over the sample portal, on an instance in memory."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from shelter_pipeline.catalog.scrubs import last_scrubs
from shelter_pipeline.definitions import build_defs
from shelter_pipeline.orchestration.partitions import add_missing, batches, organizations
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.dagster import Deployment, change
from shelter_pipeline_tests.support.rebuilding import rows

READ_ALL = {"ops": {"package_list": {"config": {"mode": "full"}}}}


def metadata_of(deployment: Deployment, asset: str, partition: str | None = None) -> dict[str, object]:
    key = dg.AssetKey(asset)
    records = deployment.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """Everything that the first failed step says of its failure."""
    failure = next(event for event in result.all_events if event.event_type_value == "STEP_FAILURE")
    return failure.step_failure_data.error_display_string + str(failure.step_failure_data.user_failure_data)


def refreshed(deployment: Deployment, sample: SamplePortal) -> None:
    deployment.add_portal(sample.base_url)
    assert deployment.run("refresh_portal", "sample").success


def planned(deployment: Deployment, *keys: str) -> None:
    add_missing(deployment.instance, organizations, list(keys))
    assert deployment.run_range("plan_organizations", list(keys)).success


def test_a_refresh_makes_every_organization_a_partition(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)

        keys = deployment.instance.get_dynamic_partitions("organization")

    assert set(keys) == set(sample.expectations.by_organization)
    assert metadata_of(deployment, "package_list", "sample")["verdict"] == "complete"
    assert metadata_of(deployment, "resource_metadata", "sample")["new files"] == 599
    assert metadata_of(deployment, "priority_scores")["scores changed"] == 599


def test_discovery_probes_what_waits_before_it_scores(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)

        assert deployment.run("discover_portal", "sample").success

    shown = metadata_of(deployment, "asset_probes", "sample")
    assert shown["probed"] == 599
    assert "| ok |" in str(shown["by reason"])
    assert "up to 1 MB" in str(shown["sizes"])
    assert "MB" in str(shown["known bytes"])


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Each check that the run answered, and whether it passed."""
    return {answer.check_name: answer.passed for answer in result.get_asset_check_evaluations()}


def test_a_refresh_answers_all_checks_and_shows_what_changed_by_organization(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        deployment.add_portal(sample.base_url)

        result = deployment.run("refresh_portal", "sample")

    assert checks_of(result) == {
        "harvest_is_complete": True,
        "losses_within_breaker": True,
        "no_new_confirmed_losses": True,
    }
    shown = metadata_of(deployment, "package_list", "sample")
    assert (shown["seen"], shown["new"], shown["refused"]) == (300, 300, 3)
    assert "noaa-gov" in str(shown["changes by organization"])
    assert str(shown["changes"]).startswith("![Changes by organization](<data:image/svg+xml,")


def test_a_portal_that_cannot_be_reached_fails_its_check_and_stops_what_builds_on_it(
    deployment: Deployment,
) -> None:
    deployment.add_portal("http://127.0.0.1:9/dead", slug="dead")

    result = deployment.run("refresh_portal", "dead")

    assert not result.success
    assert not checks_of(result)["harvest_is_complete"]
    assert "harvest_is_complete" in failure_of(result)
    shown = metadata_of(deployment, "package_list", "dead")
    assert shown["verdict"] == "unreachable"
    assert "http://127.0.0.1:9" in str(shown["message"])
    assert not deployment.instance.get_materialized_partitions(dg.AssetKey("resource_metadata"))


def test_a_mass_drop_warns_and_stops_nothing(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        half = [row.slug for row in sample.catalogue.datasets if row.publisher.slug == "noaa-gov"][:40]
        sample.edit.withdraw(*half)

        result = deployment.run("refresh_portal", "sample", config=READ_ALL)

    assert result.success
    assert checks_of(result) == {
        "harvest_is_complete": True,
        "losses_within_breaker": False,
        "no_new_confirmed_losses": True,
    }
    assert metadata_of(deployment, "package_list", "sample")["withheld"] == 40


def test_the_next_nights_harvest_reads_only_what_changed(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        slug = sample.catalogue.datasets[3].slug
        sample.edit.amend(slug, description="Revised.")

        assert deployment.run("refresh_portal", "sample").success

    shown = metadata_of(deployment, "package_list", "sample")
    assert (shown["mode"], shown["changed"], shown["new"]) == ("increment", 1, 0)
    assert str(shown["completeness"]).endswith("only a full harvest can tell")


def test_source_records_are_kept_for_what_is_planned(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")

        assert deployment.run("keep_sources", "sample").success

    shown = metadata_of(deployment, "source_records", "sample")
    assert shown["stored"] == shown["asked"]
    assert shown["stored"]
    assert shown["waiting"] == 0


def test_planning_makes_batches_partitions_and_downloading_one_settles_it(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        (key,) = deployment.instance.get_dynamic_partitions("batch")

        result = deployment.run("download", key)

        assert result.success
        expected = sample.expectations.by_organization["hhs-gov"]
        shown = metadata_of(deployment, "download_batches", key)
        assert shown["files settled"] == expected.held_files
        assert shown["stored bytes"] == expected.held_bytes
        assert shown["state"] == "done"


def test_runs_lead_to_pages_and_the_overview_tells_the_whole_and_what_it_saw_outside(
    deployment: Deployment,
) -> None:
    base = "https://data.example.org"
    settings = deployment.settings.model_copy(update={"api_public_url": base, "api_statistics_seconds": 0})
    reached = replace(deployment, defs=build_defs(workplaces=Workplaces(lambda: settings)))
    with SamplePortal() as sample:
        refreshed(reached, sample)
        planned(reached, "hhs-gov")
        (key,) = reached.instance.get_dynamic_partitions("batch")
        assert reached.run("download", key).success
        expected = sample.expectations.by_organization["hhs-gov"]
    assert reached.run_range("report_organizations", ["hhs-gov"]).success

    assert reached.run("overview").success

    page = f"{base}/browse/organizations/hhs-gov"
    for asset, partition in (
        ("batch_plan", "hhs-gov"),
        ("download_batches", key),
        ("organization_rescue", "hhs-gov"),
    ):
        assert metadata_of(reached, asset, partition)["organization page"] == page
    shown = metadata_of(reached, "rescue_overview")
    assert (shown["expected files"], shown["held files"]) == (599, expected.held_files)
    assert shown["held bytes"] == expected.held_bytes
    assert shown["overview page"] == f"{base}/"
    assert "hhs-gov" in str(shown["largest organizations"])
    for outside in ("portals", "store", "volunteers"):
        seen = reached.instance.fetch_observations(dg.AssetKey(outside), limit=1).records[0].asset_observation
        assert seen is not None
        assert seen.metadata


def test_running_a_batch_again_asks_for_nothing_that_is_held(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        (key,) = deployment.instance.get_dynamic_partitions("batch")
        assert deployment.run("download", key).success
        asked = len(sample.requests)

        again = deployment.run("download", key)

        assert again.success
        assert len(sample.requests) == asked


def test_a_batch_with_files_left_over_fails_its_run_and_keeps_what_it_got(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "epa-gov")
        results = [
            deployment.run("download", key) for key in deployment.instance.get_dynamic_partitions("batch")
        ]
        planned_again = deployment.run_range("report_organizations", ["epa-gov"])

        assert not all(result.success for result in results)
        assert planned_again.success
        shown = metadata_of(deployment, "organization_rescue", "epa-gov")
        assert shown["held files"] == sample.expectations.by_organization["epa-gov"].held_files
        assert shown["verdict"] == "partial"


def test_one_unknown_organization_does_not_stop_the_others_of_its_range(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
    ordered = [*deployment.instance.get_dynamic_partitions("organization"), "nobody-gov"]
    add_missing(deployment.instance, organizations, ["nobody-gov"])

    result = deployment.run_range("plan_organizations", ordered[-3:])

    assert not result.success
    done = deployment.instance.get_materialized_partitions(dg.AssetKey("batch_plan"))
    assert done == set(ordered[-3:-1])


def test_a_night_in_which_nothing_is_new_leaves_no_event_and_a_persons_click_does(
    deployment: Deployment,
) -> None:
    def events() -> int:
        asked = dg.AssetRecordsFilter(dg.AssetKey("batch_plan"), asset_partitions=["hhs-gov"])
        return len(deployment.instance.fetch_materializations(asked, limit=10).records)

    by_night = {"ops": {"batch_plan": {"config": {"urgent": False}}}}
    with SamplePortal() as sample:
        refreshed(deployment, sample)
    counts = []
    for config in (by_night, by_night, None):
        assert deployment.run_range("plan_organizations", ["hhs-gov"], config).success
        counts.append(events())

    assert counts == [1, 1, 2]


def test_a_batch_whose_attempts_are_used_up_says_what_to_do_and_a_new_plan_takes_its_files(
    deployment: Deployment,
) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "epa-gov")
        key = next(key for key in deployment.instance.get_dynamic_partitions("batch") if ".mixed." in key)
        first = failure_of(deployment.run("download", key))
        with deployment.workplace() as workplace:
            change(workplace, "UPDATE batch SET attempt = :last", last=deployment.settings.batch_max_attempts)
            change(workplace, "UPDATE asset SET next_attempt_at = now() WHERE state = 'pending'")
        last = failure_of(deployment.run("download", key))
        with deployment.workplace() as workplace:
            change(workplace, "UPDATE asset SET next_attempt_at = now() WHERE state = 'pending'")
        planned(deployment, "epa-gov")
        keys = deployment.instance.get_dynamic_partitions("batch")

    assert "Attempt 2 follows by itself after 20" in first
    assert "used up its 20 attempts" in last
    assert "materialize batch_plan of epa-gov" in last
    assert len([one for one in keys if ".mixed." in one]) == 2


def test_the_verdict_is_complete_only_when_every_expected_file_is_held(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        assert deployment.run_range("report_organizations", ["hhs-gov"]).success
        before = metadata_of(deployment, "organization_rescue", "hhs-gov")["verdict"]
        for key in deployment.instance.get_dynamic_partitions("batch"):
            assert deployment.run("download", key).success

        assert deployment.run_range("report_organizations", ["hhs-gov"]).success

    assert before == "waiting"
    assert metadata_of(deployment, "organization_rescue", "hhs-gov")["verdict"] == "complete"


def test_the_audit_passes_after_a_rescue(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        for key in deployment.instance.get_dynamic_partitions("batch"):
            deployment.run("download", key)

    result = deployment.run("audit")

    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == 4
    assert all(evaluation.passed for evaluation in evaluations)


def test_fixity_finds_a_rotten_blob_and_fails(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        for key in deployment.instance.get_dynamic_partitions("batch"):
            deployment.run("download", key)
    assert deployment.run("fixity").success
    with deployment.workplace() as workplace:
        blob = next(iter(workplace.store.blobs()))
        path = (
            workplace.settings.store_path
            / "blobs"
            / "sha256"
            / blob.sha256[:2]
            / blob.sha256[2:4]
            / blob.sha256
        )
    path.chmod(0o644)
    path.write_bytes(b"rot")

    assert not deployment.run("fixity").success
    with deployment.workplace() as workplace:
        (last,) = last_scrubs(workplace.catalog)
    assert (last["damaged"], last["missing"]) == (1, 0)
    assert blob.sha256 in last["damaged_files"][0]


def test_fixity_does_not_take_a_store_that_is_not_mounted_for_a_loss(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.operations.mend_store._LEAST", 1)
    with SamplePortal() as sample:
        refreshed(deployment, sample)
        planned(deployment, "hhs-gov")
        for key in deployment.instance.get_dynamic_partitions("batch"):
            deployment.run("download", key)
    store = deployment.settings.store_path
    store.rename(store.with_name("elsewhere"))
    (store / "blobs").mkdir(parents=True)

    failed = deployment.run("fixity")

    assert "see that the store is mounted" in failure_of(failed)
    with deployment.workplace() as workplace:
        (last,) = last_scrubs(workplace.catalog)
        assert last["missing"] > 0
        assert rows(workplace, "SELECT DISTINCT state FROM copy") == [("good",)]


@pytest.mark.parametrize("missing", ["nobody.mixed.1"])
def test_a_batch_that_the_catalog_does_not_know_fails_with_one_sentence(
    deployment: Deployment, missing: str
) -> None:
    add_missing(deployment.instance, batches, [missing])

    result = deployment.run("download", missing)

    assert "there is no batch" in failure_of(result)
