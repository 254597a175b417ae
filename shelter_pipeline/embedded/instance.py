"""Dagster's instance folder, written at each start from the repository's `dagster.yaml` and the settings.

Dagster reads addresses and secrets from the environment but limits only as plain numbers,
so the numbers are filled in here. The files say that they are written by a program.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.fleet import BY_HAND
from shelter_pipeline.embedded.broker import RESULTS_VARIABLE, broker_options
from shelter_pipeline.embedded.dagster_client import LOCATION
from shelter_pipeline.settings import Settings

_HEADER = "# Written by Shelter at each start, from its dagster.yaml and the settings; changes are lost.\n"


@dataclass(frozen=True, slots=True)
class Instance:
    """Where Dagster finds its configuration: `folder` is DAGSTER_HOME."""

    folder: Path
    workspace: Path


def packaged_file(name: str) -> Path:
    """A file that a wheel carries inside the package and a clone at its top. Raises SetupError."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / name, package.parent / name):
        if place.is_file():
            return place
    raise SetupError(f"{name} is missing from this installation of Shelter ({package}); install it again")


def dagster_yaml(base: str, settings: Settings) -> str:
    """The instance's configuration: the repository's, with the launcher and the limits of the settings."""
    content: dict[str, Any] = yaml.safe_load(base)
    if settings.broker_url is not None:
        content["run_launcher"] = _fleet_launcher()
    content["run_monitoring"]["start_timeout_seconds"] = int(settings.start_timeout_of_runs)
    limits = content["concurrency"]
    limits["runs"]["max_concurrent_runs"] = settings.max_concurrent_runs
    # Downloads never take every slot: a person's plan or a nightly harvest starts while they go on.
    limits["pools"]["default_limit"] = max(1, settings.max_concurrent_runs - 1)
    return _HEADER + yaml.safe_dump(content, sort_keys=False)


def _fleet_launcher() -> dict[str, Any]:
    """Runs go to the workers of a fleet. The addresses stand in the environment, for they hold passwords."""
    return {
        "module": "shelter_pipeline.fleet.launcher",
        "class": "FleetRunLauncher",
        "config": {
            "broker": {"env": "SHELTER_BROKER_URL"},
            "backend": {"env": RESULTS_VARIABLE},
            "default_queue": BY_HAND,
            "config_source": broker_options(),
        },
    }


def workspace_yaml(settings: Settings) -> str:
    """Where the webserver and the daemon find the code server."""
    server = {"host": settings.code_server_host, "port": settings.code_server_port, "location_name": LOCATION}
    return _HEADER + yaml.safe_dump({"load_from": [{"grpc_server": server}]}, sort_keys=False)


def write_instance(home: Path, settings: Settings) -> Instance:
    """Write the instance folder of a home. Raises SetupError when it cannot be written."""
    instance = Instance(home / "dagster", home / "dagster" / "workspace.yaml")
    try:
        instance.folder.mkdir(parents=True, exist_ok=True)
        _publish(
            instance.folder / "dagster.yaml",
            dagster_yaml(packaged_file("dagster.yaml").read_text(), settings),
        )
        _publish(instance.workspace, workspace_yaml(settings))
    except OSError as error:
        raise SetupError(f"SHELTER_HOME: {instance.folder} cannot be written: {error.strerror}") from error
    return instance


def _publish(path: Path, text: str) -> None:
    # Several processes of one home may write the same at the same time.
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fresh.write_text(text)
    fresh.replace(path)
