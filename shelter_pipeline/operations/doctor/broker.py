"""The broker of the fleet: whether it answers, and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.findings import Finding, failed, ok, skipped, warning
from shelter_pipeline.embedded.broker_trial import BrokerState, broker_place, try_broker
from shelter_pipeline.settings import Settings

_CHECK = "broker"


def check_broker(settings: Settings) -> Iterator[Finding]:
    """The broker of the settings, if there is a fleet."""
    if settings.broker_url is None:
        yield skipped(
            _CHECK, "SHELTER_BROKER_URL is not set: runs are started on this machine, without a fleet"
        )
        return
    url = settings.broker_url.get_secret_value()
    try:
        state = try_broker(url)
    except ShelterError as error:
        yield failed(
            _CHECK,
            str(error),
            "Check that it runs, that this machine may reach it, and user, password and number in SHELTER_BROKER_URL.",
        )
        return
    yield ok(_CHECK, f"{state.product} {state.version} at {broker_place(url)}")
    yield from _redis(state)


def _redis(state: BrokerState) -> Iterator[Finding]:
    if state.maxmemory_policy not in (None, "noeviction"):
        yield failed(
            _CHECK,
            f"its maxmemory-policy is {state.maxmemory_policy}: when it is full it forgets runs that were handed out",
            "Set maxmemory-policy noeviction.",
        )
    if state.appendonly == "no":
        yield warning(
            _CHECK,
            "its appendonly is off: a restart forgets runs that nobody had begun, which are then started again"
            " only after SHELTER_RUN_START_TIMEOUT_SECONDS",
            "Set appendonly yes.",
        )
