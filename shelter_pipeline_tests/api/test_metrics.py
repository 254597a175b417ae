"""What Prometheus is told: every figure is there and right, by the names it expects, and the rules ask for no other."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from shelter_pipeline.api.metrics import Metrics
from shelter_pipeline.catalog.connection import Catalog

RULES = Path(__file__).resolve().parents[2] / "docs" / "prometheus" / "alerts.yaml"
PROMTOOL = shutil.which("promtool")
FILLED = (Path(__file__).resolve().parents[1] / "support" / "figures.sql").read_text()
RIGHT = {
    ("shelter_catalog_up", ""): 1,
    ("shelter_files", "held"): 1,
    ("shelter_files_by_reason", "http-404"): 1,
    ("shelter_due_files", "pending"): 1,
    ("shelter_due_files", "held"): 0,
    ("shelter_batches", "planned"): 3,
    ("shelter_due_batches", ""): 2,
    ("shelter_oldest_due_batch_age_seconds", ""): 3600,
    ("shelter_live_claims", "batch"): 2,
    ("shelter_ending_claims", ""): 1,
    ("shelter_overdue_claims", ""): 1,
    ("shelter_ended_claims_total", "expired"): 1,
    ("shelter_hosts", "resting"): 1,
    ("shelter_hosts", "at-limit"): 1,
    ("shelter_hosts", "busy"): 1,
    ("shelter_hosts", "idle"): 1,
    ("shelter_workers", "at-work"): 1,
    ("shelter_workers", "silent"): 1,
    ("shelter_workers", "ending"): 1,
    ("shelter_worker_slots", ""): 4,
    ("shelter_worker_clock_offset_seconds", ""): 7200,
    ("shelter_runs", "at-work"): 1,
    ("shelter_runs", "silent"): 1,
    ("shelter_blobs", ""): 1,
    ("shelter_held_bytes", ""): 7,
    ("shelter_copies", "good"): 1,
    ("shelter_oldest_proof_age_seconds", ""): 2 * 86_400,
    ("shelter_harvest_age_seconds", "read"): 3600,
    ("shelter_harvest_age_seconds", "never"): 3 * 86_400,
    ("shelter_harvests", "complete"): 1,
    ("shelter_captures_total", "stored"): 6,
    ("shelter_captures_total", "transient"): 2,
    ("shelter_stored_files_total", ""): 5,
    ("shelter_stored_bytes_total", ""): 407,
    ("shelter_received_bytes_total", ""): 537,
    ("shelter_expected_bytes", ""): 100,
    ("shelter_contents", "1"): 1,
    ("shelter_unfollowed_links", ""): 6,
    ("shelter_datasets", "known"): 9,
    ("shelter_datasets", "gone"): 2,
    ("shelter_organizations", "partial"): 3,
    ("shelter_waiting_files", "10"): 2,
    ("shelter_counted_age_seconds", ""): 0,
}


@pytest.fixture
def exposition(catalog_url: str) -> str:
    """What a scrape of a catalog with a little of everything says."""
    catalog = Catalog(catalog_url)
    with catalog.begin() as connection:
        connection.exec_driver_sql(FILLED)
    metrics = Metrics(catalog)
    metrics.answered("GET", "/health", 200, 0.01)
    metrics.refused("slow-head")
    text = metrics.exposition().decode()
    catalog.close()
    return text


def figures(exposition: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def test_every_figure_is_there_and_right(exposition: str) -> None:
    told = figures(exposition)

    assert {name: told.get(name) for name in RIGHT} == pytest.approx(RIGHT, abs=60)


def test_an_empty_catalog_is_no_error_and_has_no_age(catalog_url: str) -> None:
    catalog = Catalog(catalog_url)

    told = figures(Metrics(catalog).exposition().decode())

    assert told["shelter_catalog_up", ""] == 1
    assert told["shelter_oldest_due_batch_age_seconds", ""] == 0
    assert told["shelter_worker_slots", ""] == 0
    catalog.close()


def test_names_and_types_are_as_prometheus_has_them(exposition: str) -> None:
    for family in text_string_to_metric_families(exposition):
        grows = family.type in ("counter", "histogram")
        assert family.documentation
        assert all(sample.name.endswith("_total") for sample in family.samples if family.type == "counter")
        assert grows or not any(sample.name.endswith("_total") for sample in family.samples)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_finds_nothing_to_say_of_the_metrics(exposition: str) -> None:
    ended = promtool("check", "metrics", given=exposition)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_understands_the_rules() -> None:
    ended = promtool("check", "rules", str(RULES))

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_rules_ask_for_figures_that_there_are(exposition: str) -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    there = {name for name, _ in figures(exposition)}

    asked = {name for rule in rules for name in re.findall(r"\bshelter_[a-z_]+", rule["expr"])}

    assert rules
    assert asked <= there
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)


def promtool(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[Any]:
    return subprocess.run(
        [str(PROMTOOL), *arguments], input=given, capture_output=True, text=True, check=False, timeout=60
    )
