"""Alerts: whether somebody is told, messages arrive, and anybody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shelter_pipeline.alerting.channels import channels_of
from shelter_pipeline.catalog.alerts import channel_states, last_look, open_alerts
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.findings import Finding, failed, ok, skipped, warning
from shelter_pipeline.domain.troubles import KINDS
from shelter_pipeline.operations.alerts import LATE_SECONDS
from shelter_pipeline.operations.doctor.databases import current_catalog
from shelter_pipeline.settings import Settings

_CHECK = "alerts"


def check_alerts(settings: Settings) -> Iterator[Finding]:
    """Who is told, what has not arrived, and what is open."""
    try:
        names = [channel.name for channel in channels_of(settings)]
    except SetupError:  # the check of the settings says so
        names = []
    if not names:
        yield warning(
            _CHECK,
            "nobody is told of troubles: no channel is set",
            "Set SHELTER_ALERT_WEBHOOK_URL, SHELTER_ALERT_SLACK_URL or SHELTER_ALERT_EMAIL_TO, then run"
            " `shelter alerts test`.",
        )
    with current_catalog(settings) as catalog:
        if isinstance(catalog, str):
            yield skipped(_CHECK, f"what is open cannot be said: {catalog}")
            return
        states, looked, rows = channel_states(catalog), last_look(catalog), open_alerts(catalog)
    yield from _channels(names, states)
    if names and (looked is None or looked["seconds_ago"] > LATE_SECONDS):
        when = "ever" if looked is None else f"for {looked['seconds_ago'] / 60:,.0f} minutes"
        yield failed(
            _CHECK,
            f"Dagster has not looked for troubles {when}, so most would be told to nobody",
            "Switch on the sensor alert_sensor in Dagster, and see that the daemon runs.",
        )
    urgent = [row for row in rows if row["kind"] in KINDS and KINDS[row["kind"]].severity == "urgent"]
    if urgent:
        yield failed(_CHECK, f"urgent troubles that last: {len(urgent)}", "`shelter alerts` lists them.")
    elif rows:
        yield warning(_CHECK, f"troubles that last: {len(rows)}", "`shelter alerts` lists them.")
    else:
        yield ok(_CHECK, "no trouble is known")


def _channels(names: list[str], states: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for name in names:
        state = states.get(name, {"failures": 0})
        if state["failures"]:
            yield warning(
                _CHECK,
                f"{name} does not take messages ({state['failures']} in a row): {state['problem']}",
                f"Correct its settings, then run `shelter alerts test`; it is tried again at"
                f" {state['tried_again_at']:%H:%M}.",
            )
        else:
            yield ok(_CHECK, f"{name} is set")
