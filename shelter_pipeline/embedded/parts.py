"""The processes of Dagster, by name: what each is started with, under `shelter up` or apart."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from shelter_pipeline.embedded.addresses import LOOPBACK
from shelter_pipeline.embedded.broker import RESULTS_VARIABLE, results_url
from shelter_pipeline.embedded.dagster_client import LOCATION
from shelter_pipeline.embedded.database import DatabaseUrls
from shelter_pipeline.embedded.instance import Instance
from shelter_pipeline.logs import dagster_log_options
from shelter_pipeline.settings import Settings

CODE_SERVER, WEBSERVER, DAEMON, API, WORKER = "code-server", "webserver", "daemon", "api", "worker"
DAGSTER_PARTS = (CODE_SERVER, WEBSERVER, DAEMON)
DEFINITIONS = "shelter_pipeline.definitions"


def part_commands(
    settings: Settings, instance: Instance, *, code_server_address: str = LOOPBACK, module: str = DEFINITIONS
) -> dict[str, tuple[str, ...]]:
    """The command line of each part; the code server listens on `code_server_address`."""
    python, logged = (sys.executable, "-m"), dagster_log_options(settings)
    dagster = (*python, "shelter_pipeline.embedded.dagster_part")
    workspace = ("-w", str(instance.workspace))
    code = ("-h", code_server_address, "-p", str(settings.code_server_port))
    web = ("-h", settings.bind_address, "-p", str(settings.dagster_port))
    return {
        CODE_SERVER: (
            *(*dagster, "dagster", "api", "grpc", *code, "-m", module),
            *("--location-name", LOCATION, *logged),
        ),
        WEBSERVER: (*dagster, "dagster_webserver", *workspace, *web, *logged),
        DAEMON: (*dagster, "dagster._daemon", "run", *workspace, *logged),
        API: (*python, "shelter_pipeline.cli", "api"),
        WORKER: (*python, "shelter_pipeline.fleet"),
    }


def part_environment(
    settings: Settings, home: Path, databases: DatabaseUrls, instance: Instance
) -> dict[str, str]:
    """What a part must be told: our settings, the running databases, Dagster's folder."""
    chosen = {
        f"SHELTER_{name.upper()}": _spelled(getattr(settings, name)) for name in settings.model_fields_set
    }
    return chosen | {
        "SHELTER_HOME": str(home),
        "SHELTER_DATABASE_URL": databases.catalog,
        "SHELTER_DAGSTER_DATABASE_URL": databases.dagster,
        RESULTS_VARIABLE: results_url(databases.dagster),
        "DAGSTER_HOME": str(instance.folder),
        "PYTHONUNBUFFERED": "1",
        # gRPC would send even the way to our own code server through a proxy.
        "no_grpc_proxy": f"{LOOPBACK},localhost,{settings.code_server_host}",
    }


def _spelled(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
