"""What the files for a cluster say, held against Shelter's own instance, Dagster's launcher and Kubernetes' models.

The chart itself is not here: with DAGSTER_HELM_CHART naming a copy of it, its schema is asked as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from shelter_pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
VALUES: dict[str, Any] = yaml.safe_load((ROOT / "docker/kubernetes/values.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((ROOT / "docker/kubernetes/manifests.yaml").read_text())
)
INSTANCE: dict[str, Any] = yaml.safe_load((ROOT / "dagster.yaml").read_text())
LAUNCHER: dict[str, Any] = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
DEPLOYMENT: dict[str, Any] = VALUES["dagster-user-deployments"]["deployments"][0]
PODS = (VALUES["dagsterWebserver"], VALUES["dagsterDaemon"], DEPLOYMENT)


def rendered_launcher() -> dict[str, Any]:
    """The launcher's configuration as the chart writes it into dagster.yaml."""
    run = LAUNCHER["runK8sConfig"]
    return {
        "load_incluster_config": LAUNCHER["loadInclusterConfig"],
        "image_pull_policy": LAUNCHER["imagePullPolicy"],
        "service_account_name": "dagster",
        "job_image": "{repository}:{tag}".format(**LAUNCHER["image"]),
        "dagster_home": {"env": "DAGSTER_HOME"},
        "instance_config_map": {"env": "DAGSTER_K8S_INSTANCE_CONFIG_MAP"},
        "postgres_password_secret": {"env": "DAGSTER_K8S_PG_PASSWORD_SECRET"},
        "env_config_maps": [each["name"] for each in LAUNCHER["envConfigMaps"]],
        "env_secrets": [each["name"] for each in LAUNCHER["envSecrets"]],
        "volumes": LAUNCHER["volumes"],
        "volume_mounts": LAUNCHER["volumeMounts"],
        "resources": LAUNCHER["resources"],
        "security_context": LAUNCHER["securityContext"],
        "run_k8s_config": {
            "pod_spec_config": run["podSpecConfig"],
            "job_spec_config": run["jobSpecConfig"],
        },
    }


def test_the_instance_of_a_cluster_is_shelters_own_but_for_what_pods_need() -> None:
    given = dict(VALUES["additionalInstanceConfig"])
    assert given.pop("run_monitoring") == INSTANCE["run_monitoring"] | {"start_timeout_seconds": 900}
    limits, own = given.pop("concurrency"), INSTANCE["concurrency"]
    at_once = limits["runs"]["max_concurrent_runs"]

    assert limits["pools"] == own["pools"] | {"default_limit": at_once - 1}
    assert limits["runs"] == own["runs"] | {"max_concurrent_runs": at_once}
    assert given == {key: INSTANCE[key] for key in given}
    assert INSTANCE.keys() - VALUES["additionalInstanceConfig"].keys() == {"storage", "telemetry"}
    # What is said twice is refused by Dagster, or is YAML with a key twice.
    daemon = VALUES["dagsterDaemon"]
    assert not any(daemon[part]["enabled"] for part in ("runCoordinator", "runMonitoring", "runRetries"))
    assert not daemon["sensors"]["useThreads"]
    assert not VALUES["retention"]["enabled"]
    assert VALUES["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


def test_every_pod_is_an_ordinary_user_on_a_read_only_root_with_places_to_write() -> None:
    spec = LAUNCHER["runK8sConfig"]["podSpecConfig"]
    pods = [*PODS, {**LAUNCHER, "podSecurityContext": spec["securityContext"]}]
    for manifest in MANIFESTS:
        if "template" in manifest.get("spec", {}):
            own = manifest["spec"]["template"]["spec"]
            [container] = own["containers"]
            pods.append({**own, **container, "podSecurityContext": own["securityContext"]})

    for pod in pods:
        assert pod["podSecurityContext"]["runAsNonRoot"]
        assert pod["podSecurityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["readOnlyRootFilesystem"]
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["mountPath"] for mount in pod["volumeMounts"]} == {"/tmp", "/var/lib/shelter-home"}
        assert {mount["name"] for mount in pod["volumeMounts"]} == {
            volume["name"] for volume in pod["volumes"]
        }
        assert pod["resources"]["limits"]["memory"]


def test_one_image_is_meant_everywhere() -> None:
    images = {"{repository}:{tag}".format(**pod["image"]) for pod in (*PODS, LAUNCHER)}
    for manifest in MANIFESTS:
        for container in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
            images.add(container["image"])

    assert len(images) == 1


def test_no_secret_is_written_down_and_every_setting_exists() -> None:
    text = (ROOT / "docker/kubernetes/values.yaml").read_text()
    settings = next(each for each in MANIFESTS if each["kind"] == "ConfigMap")["data"]

    assert "postgresqlPassword:" not in text
    assert {name.removeprefix("SHELTER_").lower() for name in settings} <= Settings.model_fields.keys()


def test_dagsters_launcher_understands_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    dagster_k8s = pytest.importorskip("dagster_k8s", reason="dagster-k8s is not installed")
    from dagster._config import process_config

    for name in ("DAGSTER_HOME", "DAGSTER_K8S_INSTANCE_CONFIG_MAP", "DAGSTER_K8S_PG_PASSWORD_SECRET"):
        monkeypatch.setenv(name, "given-by-the-chart")
    kind = dagster_k8s.K8sRunLauncher.config_type()

    assert process_config(kind, rendered_launcher()).errors is None
    assert not process_config(kind, rendered_launcher() | {"rubbish": True}).success


def test_kubernetes_knows_every_field_of_the_manifests() -> None:
    pytest.importorskip("dagster_k8s", reason="dagster-k8s is not installed")
    from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
    from kubernetes import client

    models = {
        "ConfigMap": client.V1ConfigMap,
        "Job": client.V1Job,
        "Deployment": client.V1Deployment,
        "Service": client.V1Service,
    }
    for manifest in MANIFESTS:
        model = models[manifest["kind"]]
        k8s_model_from_dict(model, k8s_snake_case_dict(model, manifest))
    pod = LAUNCHER["runK8sConfig"]["podSpecConfig"] | {"containers": []}
    k8s_model_from_dict(client.V1PodSpec, k8s_snake_case_dict(client.V1PodSpec, pod))


def test_the_chart_takes_the_values() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    chart = os.environ.get("DAGSTER_HELM_CHART")
    if chart is None:
        pytest.skip("DAGSTER_HELM_CHART names no copy of Dagster's chart")
    schema = json.loads((Path(chart) / "values.schema.json").read_text())
    # Kubernetes' own part of it is on the network.
    for definition in schema["definitions"].values():
        if definition.get("$ref", "").startswith("https://"):
            definition.pop("$ref")

    jsonschema.validate(_laid_over(yaml.safe_load((Path(chart) / "values.yaml").read_text()), VALUES), schema)


def _laid_over(below: Any, above: Any) -> Any:
    """What Helm makes of a chart's values and an operator's."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _laid_over(below.get(key), value) for key, value in above.items()}
