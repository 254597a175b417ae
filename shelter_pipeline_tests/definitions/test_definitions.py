"""The code location loads anywhere and says what a newcomer needs to know."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from shelter_pipeline.definitions import defs
from shelter_pipeline.orchestration import catalog_assets, overview_asset, rescue_assets
from shelter_pipeline.orchestration.guide import DOCS, told

REPOSITORY = Path(__file__).parents[2]
ASSETS = {
    "package_list": "portal",
    "resource_metadata": "portal",
    "source_records": "portal",
    "asset_probes": "portal",
    "priority_scores": None,
    "batch_plan": "organization",
    "download_batches": "batch",
    "organization_rescue": "organization",
    "rescue_overview": None,
}
OUTSIDE = ("portals", "publishers", "store", "volunteers")
GROUPS = {"outside", "catalog", "rescue", "kept", "report"}


def test_the_definitions_load_with_an_empty_environment_and_touch_nothing() -> None:
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(event) if event == 'socket.connect' else None)\n"
        "from shelter_pipeline.definitions import defs\n"
        "defs.get_repository_def().get_all_jobs()\n"
        "assert not seen, seen\n"
    )

    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        env={},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_dagsters_own_validation_accepts_the_workspace(tmp_path: Path) -> None:
    workspace = str(REPOSITORY / "workspace.yaml")

    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", workspace],
        cwd=tmp_path,  # in the repository it would open the instance of dagster.yaml
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def definitions_of_all() -> dict[str, tuple[str | None, dict[str, Any]]]:
    """What each definition says of itself, and its metadata."""
    repository = defs.get_repository_def()
    graph = defs.resolve_asset_graph()
    said: dict[str, tuple[str | None, dict[str, Any]]] = {
        each.name: (each.description, dict(each.metadata))
        for each in (*repository.get_all_jobs(), *repository.schedule_defs, *repository.sensor_defs)
        if not each.name.startswith("__")
    }
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        said[key.to_user_string()] = (node.description, dict(node.metadata))
    for check in graph.asset_check_keys:
        spec = graph.get_check_spec(check)
        said[check.name] = (spec.description, dict(spec.metadata or {}))
    return said


TOLD = definitions_of_all()


@pytest.mark.parametrize("name", TOLD)
def test_every_definition_says_what_it_is_what_to_do_when_it_fails_and_leads_to_a_guide_that_there_is(
    name: str,
) -> None:
    description, metadata = TOLD[name]

    assert description == told(name)
    assert len(description.partition("\n")[0]) > 20
    assert re.search(r"^- \*\*If (it|one) ", description, re.MULTILINE)
    assert name in OUTSIDE or re.search(
        r"^- \*\*(Runs|If it is off|If it fails)\*\*: ", description, re.MULTILINE
    )
    pages = re.findall(re.escape(DOCS) + r"([\w./-]+)\)", description)
    assert pages
    assert all((REPOSITORY / "docs" / page).is_file() for page in pages)
    assert metadata["read on"].url == DOCS + pages[0]


def test_the_guide_has_a_section_for_what_there_is_and_for_nothing_else() -> None:
    text = (files("shelter_pipeline.orchestration") / "guide.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == TOLD.keys() | {"workplaces"}
    assert (defs.resources or {})["workplaces"].description == told("workplaces")


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_lies_outside_of_dagster_is_in_the_lineage_and_is_never_materialized(name: str) -> None:
    spec = defs.resolve_asset_graph().get(dg.AssetKey(name))

    assert not spec.is_materializable
    assert spec.group_name in {"outside", "kept"}
    assert spec.kinds
    assert spec.owners == ["team:rescue"]


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_has_its_partitions_and_explains_itself(name: str) -> None:
    spec = defs.resolve_asset_graph().get(dg.AssetKey(name))

    partitions = spec.partitions_def
    assert (partitions.name if isinstance(partitions, dg.DynamicPartitionsDefinition) else None) == ASSETS[
        name
    ]
    assert spec.description
    assert len(spec.description) > 100
    assert spec.group_name in GROUPS
    assert spec.kinds
    assert spec.owners == ["team:rescue"]


def test_lineage_runs_from_the_portal_to_the_verdict() -> None:
    graph = defs.resolve_asset_graph()

    # Assets of one level have no order among themselves.
    levels = [{key.to_user_string() for key in level} for level in graph.toposorted_asset_keys_by_level]

    assert levels == [
        {"portals", "publishers"},
        {"package_list"},
        {"resource_metadata", "source_records"},
        {"asset_probes"},
        {"priority_scores"},
        {"batch_plan", "volunteers"},
        {"download_batches"},
        {"organization_rescue", "store"},
        {"rescue_overview"},
    ]
    assert set().union(*levels) == {*ASSETS, *OUTSIDE}


def test_nothing_is_switched_on_in_code() -> None:
    repository = defs.get_repository_def()

    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}
    assert {schedule.default_status for schedule in repository.schedule_defs} == {
        dg.DefaultScheduleStatus.STOPPED
    }


@pytest.mark.parametrize(
    "job",
    ["refresh_portal", "keep_sources", "plan_organizations", "download", "report_organizations", "overview"],
)
def test_every_job_runs_in_one_process_and_has_an_end(job: str) -> None:
    definition = defs.resolve_job_def(job)

    assert definition.executor_def is dg.in_process_executor
    assert int(definition.tags["dagster/max_runtime"]) > 0


@pytest.mark.parametrize(
    "asset",
    [
        catalog_assets.package_list,
        catalog_assets.resource_metadata,
        catalog_assets.source_records,
        catalog_assets.asset_probes,
        catalog_assets.priority_scores,
        rescue_assets.batch_plan,
        rescue_assets.download_batches,
        rescue_assets.organization_rescue,
        overview_asset.rescue_overview,
    ],
)
def test_an_asset_is_a_thin_skin(asset: dg.AssetsDefinition) -> None:
    source = inspect.getsource(asset.op.compute_fn.decorated_fn)
    body = source.rpartition('"""')[2]

    statements = [
        line for line in body.splitlines() if line.strip() and line.startswith("    ") and line[4] != " "
    ]

    assert len(statements) <= 8


def test_the_instance_file_holds_what_keeps_a_fleet_alive() -> None:
    instance = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())

    assert instance["storage"]["postgres"]["postgres_url"] == {"env": "SHELTER_DAGSTER_DATABASE_URL"}
    assert instance["run_monitoring"]["enabled"]
    assert instance["run_monitoring"]["max_runtime_seconds"] > 0
    assert instance["run_retries"]["retry_on_asset_or_op_failure"] is False
    (limit,) = instance["concurrency"]["runs"]["tag_concurrency_limits"]
    assert limit == {"key": "shelter/host", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
