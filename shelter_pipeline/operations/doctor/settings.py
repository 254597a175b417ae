"""Settings that parse and yet cannot work together, or do something that few would want."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from shelter_pipeline.alerting.channels import channels_of
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.findings import Finding, Soundness, failed, ok, warning
from shelter_pipeline.domain.networks import is_loopback
from shelter_pipeline.settings import Settings, misspelt_settings

_CHECK, _DOOR = "settings", "door"
_SHORT_LEASE_SECONDS = 30
_METADATA = ip_address("169.254.169.254")  # where clouds keep a machine's credentials
_WHOLE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Misspelt ones, contradictions, and what the door lets through."""
    findings = [*_misspelt(), *_contradictions(settings), *_risks(settings)]
    yield from findings
    if all(finding.verdict is Soundness.OK for finding in findings):
        yield ok(_CHECK, "all settings parse and agree with each other")
    yield from _door(settings)


def _misspelt() -> Iterator[Finding]:
    for sentence in misspelt_settings():
        yield warning(_CHECK, sentence, "Correct the name or remove the variable.")


def _contradictions(settings: Settings) -> Iterator[Finding]:
    if settings.broker_url is not None and settings.database_url is None:
        yield failed(
            _CHECK,
            "SHELTER_BROKER_URL is set and SHELTER_DATABASE_URL is not: workers elsewhere would find no catalog",
            "Set SHELTER_DATABASE_URL to a PostgreSQL that every machine reaches.",
        )
    if settings.dagster_database_url is not None and settings.database_url is None:
        yield warning(
            _CHECK,
            "SHELTER_DAGSTER_DATABASE_URL is set and SHELTER_DATABASE_URL is not: the catalog is on the embedded one",
            "Set both or neither.",
        )
    try:
        channels_of(settings)
    except SetupError as error:
        yield failed(_CHECK, str(error), "Set what is missing, or unset what is there.")
    for name, shorter, longer, long in (
        (
            "SHELTER_DISCOVERY_SHORTEST_HOURS",
            settings.discovery_shortest_hours,
            "SHELTER_DISCOVERY_LONGEST_DAYS",
            settings.discovery_longest_days * 24,
        ),
        (
            "SHELTER_PROBE_SHORTEST_HOURS",
            settings.probe_shortest_hours,
            "SHELTER_PROBE_LONGEST_DAYS",
            settings.probe_longest_days * 24,
        ),
        (
            "SHELTER_FETCH_HEAD_TIMEOUT_SECONDS",
            settings.fetch_head_timeout_seconds,
            "SHELTER_FETCH_TOTAL_DEADLINE_SECONDS",
            settings.fetch_total_deadline_seconds,
        ),
        (
            "SHELTER_FETCH_STALL_WINDOW_SECONDS",
            settings.fetch_stall_window_seconds,
            "SHELTER_FETCH_TOTAL_DEADLINE_SECONDS",
            settings.fetch_total_deadline_seconds,
        ),
    ):
        if shorter > long:
            yield failed(_CHECK, f"{name} is longer than {longer}", f"Lower {name} or raise {longer}.")


def _risks(settings: Settings) -> Iterator[Finding]:
    if settings.lease_seconds < _SHORT_LEASE_SECONDS:
        yield warning(
            _CHECK,
            f"SHELTER_LEASE_SECONDS is {settings.lease_seconds:g}: a lease is renewed each third of it, and a busy"
            " database would have files fetched twice",
            "Set it to a minute or more; 600 is the default.",
        )
    if settings.broker_url is not None and "://" not in settings.store:
        yield warning(
            _CHECK,
            "the store is a folder and there is a broker: each machine would keep files on its own disk",
            "Use an s3:// store, or mount the same folder on every machine.",
        )
    if settings.s3_endpoint_url and not settings.store.startswith("s3:"):
        yield warning(
            _CHECK, "SHELTER_S3_ENDPOINT_URL is set and SHELTER_STORE is no s3:// place", "Set SHELTER_STORE."
        )
    if not is_loopback(settings.bind_address):
        yield warning(
            _CHECK,
            f"Dagster's pages are served on {settings.bind_address}, and Dagster asks nobody for a password",
            "Bind it to 127.0.0.1, or put a proxy before it that does.",
        )


def _door(settings: Settings) -> Iterator[Finding]:
    networks = settings.allowed_networks
    names = ", ".join(str(network) for network in networks)
    if any(network in _WHOLE for network in networks) or any(
        network.version == _METADATA.version and _METADATA in network for network in networks
    ):
        yield warning(
            _DOOR,
            f"SHELTER_ALLOWED_NETWORKS ({names}) holds 169.254.169.254, where clouds keep a machine's credentials, or"
            " everything",
            "Name the networks of your private portals and no others.",
        )
    elif networks:
        yield ok(_DOOR, f"public addresses may be dialled, and of private ones {names}")
    else:
        yield ok(_DOOR, "only public addresses may be dialled")
    if settings.robots == "ignore":
        yield warning(
            _DOOR,
            "SHELTER_ROBOTS is ignore: files are fetched that a robots.txt asks robots to leave alone",
            "Set it to obey, and overrule single hosts with `shelter host`.",
        )
