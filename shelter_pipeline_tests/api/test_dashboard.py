"""Grafana's dashboard: each panel explains itself, and asks for figures that there are, by the labels they have."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from shelter_pipeline_tests.api.test_metrics import PROMTOOL, RULES, exposition, promtool
from shelter_pipeline_tests.support.ports import free_ports

__all__ = ["exposition"]

DOCKER = Path(__file__).resolve().parents[2] / "docker"
DASHBOARD: dict[str, Any] = json.loads((DOCKER / "grafana/dashboards/shelter.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TITLES = [panel["title"] for panel in PANELS]
VARIABLES = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
ALERTS = ("alertname", "alertstate", "severity")
_METRIC = re.compile(r"\b(shelter_\w+|ALERTS|up)\b(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_SHOWN = re.compile(r"\{\{(\w+)\}\}")


def expression(target: Mapping[str, Any]) -> str:
    """What Prometheus is asked when somebody looks."""
    return str(target["expr"]).replace("$job", "shelter").replace("$__range", "1h")


def labels_of(told: str) -> dict[str, set[str]]:
    """The labels of every metric that was exposed, and those that a scrape or a rule adds."""
    found: dict[str, set[str]] = {"ALERTS": set(ALERTS), "up": {"job"}}
    for family in text_string_to_metric_families(told):
        for sample in family.samples:
            found.setdefault(sample.name, {"job"}).update(sample.labels)
    return found


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_panel_says_what_it_shows_in_which_unit_and_asks_the_datasource_that_was_chosen(
    panel: dict[str, Any],
) -> None:
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]

    assert panel["title"]
    assert len(panel["description"]) > 20
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_panels_have_names_and_places_of_their_own_and_variables_that_exist() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    text = json.dumps(DASHBOARD)

    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len(set(TITLES)) == len(TITLES)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert set(re.findall(r"\$\{?([a-z]+)\b", text)) <= VARIABLES
    assert {"datasource", "job", "pages", "dagster"} == VARIABLES
    for panel in PANELS:
        assert all(re.match(r"\$\{(pages|dagster)\}/", link["url"]) for link in panel["links"])


def overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_every_metric_that_is_asked_for_is_exposed_with_the_labels_that_are_used(exposition: str) -> None:
    there = labels_of(exposition)
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    asked = [(target["expr"], target["legendFormat"]) for panel in PANELS for target in panel["targets"]]
    asked += [(rule["expr"], rule["annotations"]["summary"].replace("$labels.", "")) for rule in rules]

    for expr, legend in asked:
        named = _METRIC.findall(expr)
        assert named, expr
        known = {"le"}.union(*(there.get(name, set()) for name, _ in named))
        used = {label for _, matchers in named for label in re.findall(r"(\w+)(?:=|!)", matchers)}
        used |= {label.strip() for group in _GROUPED.findall(expr) for label in group.split(",")}
        used |= set(_SHOWN.findall(legend.replace(" ", "")))
        assert {name for name, _ in named} <= there.keys(), expr
        assert used - {"job"} <= known, expr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_understands_every_expression_and_the_configuration(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{panel['id']}:{target['refId'].lower()}", "expr": expression(target)}
        for panel in PANELS
        for target in panel["targets"]
    ]
    written = tmp_path / "rules.yaml"
    written.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    configuration = (DOCKER / "prometheus/prometheus.yaml").read_text()
    (tmp_path / "prometheus.yaml").write_text(
        configuration.replace("/etc/prometheus/alerts.yaml", str(RULES))
    )

    checked = promtool("check", "rules", str(written))
    configured = promtool("check", "config", str(tmp_path / "prometheus.yaml"))

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert configured.returncode == 0, configured.stdout + configured.stderr
    [job] = yaml.safe_load(configuration)["scrape_configs"]
    assert job["job_name"] == "shelter"  # which the rules name


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_prometheus_that_scrapes_the_api_has_an_answer_for_every_panel(
    exposition: str, tmp_path: Path
) -> None:
    with served(exposition) as target, scraping(target, tmp_path) as prometheus:
        empty = []
        for panel in PANELS:
            for query in panel["targets"]:
                answer = requests.get(
                    f"{prometheus}/api/v1/query", params={"query": expression(query)}, timeout=10
                ).json()
                assert answer["status"] == "success", (panel["title"], answer)
                if not answer["data"]["result"]:
                    empty.append(panel["title"])

    assert set(empty) <= {"Rules that fire"}  # none has lasted long enough


@contextmanager
def served(text: str) -> Iterator[str]:
    """These metrics, where a scrape finds them."""

    class Scraped(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scraped) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def scraping(target: str, folder: Path) -> Iterator[str]:
    """A Prometheus that has scraped it often enough to know rates."""
    [port] = free_ports(1)
    job = {"job_name": "shelter", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
    configuration = folder / "prometheus.yaml"
    configuration.write_text(json.dumps({"scrape_configs": [job]}))
    command = (
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            while not _scraped(url):
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def _scraped(url: str) -> bool:
    query = {"query": 'count_over_time(shelter_catalog_up{job="shelter"}[1m])'}
    try:
        found = requests.get(f"{url}/api/v1/query", params=query, timeout=5).json()["data"]["result"]
    except (requests.RequestException, KeyError, ValueError):
        return False
    return bool(found) and int(found[0]["value"][1]) > 2
