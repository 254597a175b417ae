"""Telling people what is wrong: once when it begins, again while it lasts, and when it is over.

A look writes down the state of things; telling is derived from what is written down and
what each channel has told. A look or a message that is lost is made good by the next one.
A process that dies between sending and writing that down has it told twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.alerting.channels import LONGEST_SECONDS, Channel, channels_of
from shelter_pipeline.alerting.messages import Message
from shelter_pipeline.catalog import alerts
from shelter_pipeline.catalog.losses import withheld_losses
from shelter_pipeline.catalog.scrubs import last_scrubs
from shelter_pipeline.catalog.troubles import failed_batches, failed_harvests, silent_workers, stuck_queue
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.troubles import KINDS, Trouble
from shelter_pipeline.operations.doctor.databases import current_catalog
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

_REST_SECONDS = 600.0  # a trouble that is not seen for so long is over
LATE_SECONDS = 900.0  # the engine looks every minute
_TOLD_BY_ENGINE = {"run-failed", "queue-stuck"}
_HARVEST_WORDS = {
    "hangs": "the harvest hangs, nothing was read for hours",
    "overdue": "was not read for three days",
}


@dataclass(frozen=True, slots=True)
class EngineSigns:
    """What only the engine of our runs can tell: which failed, and whether a person paused downloads."""

    failed_runs: Sequence[Trouble] = ()
    downloads_paused: bool = False


def look_and_tell(workplace: Workplace, signs: EngineSigns) -> dict[str, str]:
    """Write down what is wrong now and tell every channel what it has not told; returns how each channel did."""
    look(workplace, signs)
    return tell(workplace)


def look(workplace: Workplace, signs: EngineSigns | None = None) -> None:
    """Write down what is wrong now. Without `signs` of the engine what only those tell stays as it was."""
    seen, looked_for = _seen_by_anybody(workplace), set(KINDS) - _TOLD_BY_ENGINE
    if signs is not None:
        unread = {trouble.thing for trouble in seen if trouble.kind == "harvest-failed"}
        # A harvest that failed is told with what the portal said, and not a second time as a run.
        seen += [run for run in signs.failed_runs if run.thing.removeprefix("refresh_portal ") not in unread]
        seen += [] if signs.downloads_paused else _queue(workplace)
        looked_for = set(KINDS)
    alerts.note_troubles(
        workplace.catalog,
        seen,
        looked_for=looked_for,
        rest_seconds=_REST_SECONDS,
        by_engine=signs is not None,
    )


def stand_in(workplace: Workplace) -> dict[str, str]:
    """Look and tell in the engine's place if that has not looked for a quarter of an hour; else nothing.

    Whoever runs beside the engine does this now and then, for a daemon that is gone tells nobody so. Where it has
    never looked there is none to miss.
    """
    looked = alerts.last_look(workplace.catalog)
    if looked is None or looked["seconds_ago"] < LATE_SECONDS:
        return {}
    silent = Trouble(
        "daemon-silent", "Dagster", f"its last look was at {looked['looked_at']:%Y-%m-%d %H:%M} UTC"
    )
    alerts.note_troubles(
        workplace.catalog,
        [*_seen_by_anybody(workplace), silent],
        looked_for=set(KINDS) - _TOLD_BY_ENGINE,
        rest_seconds=_REST_SECONDS,
        by_engine=False,
    )
    return tell(workplace)


def _seen_by_anybody(workplace: Workplace) -> list[Trouble]:
    return [
        *_damaged(workplace),
        *_room(workplace),
        *_harvests(workplace),
        *_breakers(workplace),
        *_batches(workplace),
        *_workers(workplace),
    ]


def tell(workplace: Workplace) -> dict[str, str]:
    """Send each channel one message of all that it has not told; by channel, what became of it.

    Channels do not wait for each other; one that fails rests, longer each time. Raises SetupError for
    a channel that is set by half.
    """
    channels = channels_of(workplace.settings)
    if not channels:
        return {}
    with ThreadPoolExecutor(len(channels), thread_name_prefix="alerts") as pool:
        outcomes = pool.map(lambda channel: _speak(workplace, channel), channels)
        return {channel.name: outcome for channel, outcome in zip(channels, outcomes, strict=True)}


def _speak(workplace: Workplace, channel: Channel) -> str:
    settings, catalog = workplace.settings, workplace.catalog
    mine = alerts.take_channel(
        catalog,
        channel.name,
        pause_seconds=settings.alert_every_minutes * 60,
        speaking_seconds=2 * LONGEST_SECONDS,
    )
    if not mine:
        return "rests"
    notices = alerts.untold(catalog, channel.name, remind_seconds=settings.alert_remind_hours * 3600)
    if notices:
        try:
            channel.send(Message(tuple(notices), datetime.now(UTC), _links(settings)))
        except ShelterError as error:
            alerts.note_failure(catalog, channel.name, str(error))
            return f"failed: {error}"
    alerts.note_told(catalog, channel.name, notices)
    return f"told {len(notices)}"


def send_test(settings: Settings) -> dict[str, str]:
    """Send a test message to every channel that is set: by name, "sent" or why not. Raises SetupError.

    One that takes it need not rest any more, as far as the catalog can be told.
    """
    outcomes = {}
    for channel in channels_of(settings):
        try:
            channel.send(Message((), datetime.now(UTC), _links(settings)))
            outcomes[channel.name] = "sent"
        except ShelterError as error:
            outcomes[channel.name] = str(error)
    with current_catalog(settings) as catalog:
        if not isinstance(catalog, str):
            for name in (name for name, outcome in outcomes.items() if outcome == "sent"):
                alerts.revive_channel(catalog, name)
    return outcomes


def alerts_report(workplace: Workplace) -> dict[str, Any]:
    """What is wrong and who knows: `{looked_at, seconds_since_look, open, channels}`.

    Raises SetupError for a channel that is set by half.
    """
    looked = alerts.last_look(workplace.catalog) or {"looked_at": None, "seconds_ago": None}
    states = alerts.channel_states(workplace.catalog)
    nothing = {"told_at": None, "failures": 0, "problem": None, "tried_again_at": None}
    return {
        "looked_at": looked["looked_at"],
        "seconds_since_look": looked["seconds_ago"],
        "open": [
            row | {"title": KINDS[row["kind"]].title, "severity": KINDS[row["kind"]].severity}
            for row in alerts.open_alerts(workplace.catalog)
            if row["kind"] in KINDS  # a newer release may know more
        ],
        "channels": [
            {"name": channel.name} | nothing | states.get(channel.name, {})
            for channel in channels_of(workplace.settings)
        ],
    }


def _links(settings: Settings) -> tuple[str, ...]:
    return tuple(url for url in (settings.dagster_public_url, settings.api_public_url) if url)


def _damaged(workplace: Workplace) -> Iterable[Trouble]:
    for row in last_scrubs(workplace.catalog):
        if row["damaged"] or row["missing"]:
            first = ", ".join([*row["damaged_files"], *row["missing_files"]][:3])
            yield Trouble(
                "blobs-damaged",
                row["store"],
                f"the scrub of {row['finished_at']:%Y-%m-%d} found {row['damaged']} damaged and"
                f" {row['missing']} missing beside {row['ok']} good ones, the first: {first}",
            )


def _room(workplace: Workplace) -> Iterable[Trouble]:
    if not workplace.has_room():
        yield Trouble(
            "no-room", workplace.store.name, "less is free than SHELTER_STORE_RESERVE_BYTES asks for"
        )


def _harvests(workplace: Workplace) -> Iterable[Trouble]:
    for row in failed_harvests(workplace.catalog):
        said = _HARVEST_WORDS.get(row["trouble"]) or f"{row['verdict']}: {row['message'] or 'no message'}"
        yield Trouble("harvest-failed", row["portal"], said)


def _breakers(workplace: Workplace) -> Iterable[Trouble]:
    for row in withheld_losses(workplace.catalog):
        thing = " ".join(part for part in (row["portal"], row["organization"]) if part)
        yield Trouble(
            "breaker-tripped", thing, f"{row['datasets']} datasets and {row['links']} links vanished at once"
        )


def _batches(workplace: Workplace) -> Iterable[Trouble]:
    for row in failed_batches(workplace.catalog):
        yield Trouble(
            "batches-failed", row["organization"], f"{row['batches']} batches, the first {row['first']}"
        )


def _workers(workplace: Workplace) -> Iterable[Trouble]:
    silent_seconds = workplace.settings.worker_silent_seconds
    for row in silent_workers(workplace.catalog, silent_seconds=silent_seconds):
        yield Trouble(
            "worker-lost", row["name"], f"on {row['host']}, last heard of {row['beat_at']:%Y-%m-%d %H:%M} UTC"
        )


def _queue(workplace: Workplace) -> list[Trouble]:
    hours = workplace.settings.alert_stuck_hours
    row = stuck_queue(workplace.catalog, hours=hours)
    if row is None:
        return []
    detail = f"{row['batches']} batches are due for more than {hours:g} hours and nothing moved in that time"
    return [Trouble("queue-stuck", "downloads", detail)]
