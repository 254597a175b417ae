"""Dagster as its webserver shows it: our definitions are loaded, its daemons are alive."""

from __future__ import annotations

from collections.abc import Iterator

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.findings import Finding, failed, ok, skipped
from shelter_pipeline.embedded.addresses import web_url
from shelter_pipeline.embedded.dagster_client import DagsterClient
from shelter_pipeline.settings import Settings

_CHECK = "dagster"
_PATIENCE_SECONDS = 5.0


def check_dagster(settings: Settings) -> Iterator[Finding]:
    """The webserver of the settings, if it answers."""
    dagster = DagsterClient(web_url(settings.bind_address, settings.dagster_port))
    try:
        dagster.query("query { version }", timeout_seconds=_PATIENCE_SECONDS)
    except TransientError:
        yield skipped(
            _CHECK,
            f"no webserver of Dagster answers at {dagster.url}",
            "Where it should run, start it (`shelter up`, or `shelter serve webserver`); elsewhere ask there.",
        )
        return
    except ShelterError:
        yield failed(_CHECK, f"what answers at {dagster.url} is no Dagster", "Set SHELTER_DAGSTER_PORT.")
        return
    if dagster.has_location():
        yield ok(_CHECK, f"{dagster.url} has loaded Shelter's definitions")
    else:
        yield failed(
            _CHECK,
            f"{dagster.url} has not loaded Shelter's definitions",
            "Look at the code server's log, and at the page Deployment of Dagster.",
        )
    if dagster.has_daemons():
        yield ok(_CHECK, "every daemon gave a sign of life lately")
    else:
        yield failed(
            _CHECK,
            "a daemon is silent: no schedule, no sensor and no queued run goes on",
            "Start the daemon (`shelter up`, or `shelter serve daemon`), and look at its log.",
        )
