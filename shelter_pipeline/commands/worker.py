"""`shelter worker`, `shelter serve`: one process of a fleet in the foreground; `shelter automate` sets it going."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.printing import AsJson, announce, out, print_rows
from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.domain.fleet import QUEUES
from shelter_pipeline.settings import Settings, load_settings


class Served(StrEnum):
    """The processes of Dagster that can be served apart."""

    CODE_SERVER = "code-server"
    WEBSERVER = "webserver"
    DAEMON = "daemon"


def serve(part: Annotated[Served, typer.Argument(help="Which process of Dagster.")]) -> None:
    """Run one process of Dagster in the foreground, its instance written from the settings.

    The database is named by SHELTER_DATABASE_URL; on one machine, `shelter up` runs all of them.
    """
    settings = load_settings()
    if settings.database_url is None:
        raise SetupError(
            f"`shelter serve {part}` is one process of several: set SHELTER_DATABASE_URL to the database that they"
            " share, or use `shelter up`, which starts everything"
        )
    _become(part, settings)


def worker() -> None:
    """Run one machine of the fleet: take runs from the broker and work on them, until asked to end."""
    settings = load_settings()
    missing = [
        f"SHELTER_{name.upper()}"
        for name in ("broker_url", "database_url")
        if getattr(settings, name) is None
    ]
    if missing:
        raise SetupError(
            f"a worker is one machine of several: set {' and '.join(missing)} to what they share; on one machine,"
            " `shelter up` needs no worker"
        )
    if settings.broker_url is not None:
        _ask_broker(settings.broker_url.get_secret_value())
    _become("worker", settings)


def _ask_broker(url: str) -> None:
    """Say when the broker is away, for which a worker waits. Raises SetupError when it refuses the password."""
    from shelter_pipeline.embedded.broker_trial import try_broker

    try:
        try_broker(url)
    except SetupError as error:
        raise SetupError(
            f"SHELTER_BROKER_URL: {error}; correct it, and percent-encode what means something in URLs"
        ) from None
    except TransientError as error:
        announce(f"{error}; the worker waits for it. If it runs, look at SHELTER_BROKER_URL")


def fleet(as_json: AsJson = False) -> None:
    """Show the machines of the fleet that were heard of within the day, and what each is at."""
    from shelter_pipeline.operations.fleet import workers
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = workers(workplace)
    print_rows("workers", rows if as_json else [_line(row) for row in rows], as_json)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    state = "silent" if not row["alive"] else "ending" if row["ending"] else "alive"
    return {
        "worker": row["name"],
        "state": state,
        "runs": f"{row['runs']} of {row['slots']}",
        "heard": f"{row['silent_seconds']:.0f} s ago",
        "clock": f"{round(row['clock_offset_seconds'], 1) + 0:+.1f} s",
        "takes": "everything" if set(row["queues"]) >= set(QUEUES) else " ".join(row["queues"]),
        "on": f"{row['host']}, {row['release']}",
    }


def automate(
    dagster: Annotated[
        str, typer.Option(help="Address of the Dagster webserver. Default: the one that the settings name.")
    ] = "",
) -> None:
    """Switch on the sensors and schedules that nobody has switched on or off yet; `shelter up` does so itself."""
    from shelter_pipeline.embedded.addresses import web_url
    from shelter_pipeline.embedded.dagster_client import DagsterClient

    settings = load_settings()
    started = DagsterClient(
        dagster or web_url(settings.bind_address, settings.dagster_port)
    ).switch_on_automation()
    out.print(
        f"switched on: {', '.join(sorted(started))}" if started else "everything has been switched before"
    )


def _become(part: str, settings: Settings) -> None:
    """Replace this process by the part's: signals then reach it, and its end is ours."""
    from shelter_pipeline.embedded.database import open_database
    from shelter_pipeline.embedded.instance import write_instance
    from shelter_pipeline.embedded.locks import make_home
    from shelter_pipeline.embedded.parts import part_commands, part_environment
    from shelter_pipeline.embedded.stack import check_ports

    listening = {
        "code-server": {"SHELTER_CODE_SERVER_PORT": (settings.bind_address, settings.code_server_port)},
        "webserver": {"SHELTER_DAGSTER_PORT": (settings.bind_address, settings.dagster_port)},
    }
    # gRPC would share the port with a code server that is there already, and each would get some of the calls.
    check_ports(listening.get(part, {}))
    home = make_home(settings.home_path)
    instance = write_instance(home, settings)
    with open_database(settings) as databases:
        environment = {**os.environ, **part_environment(settings, home, databases, instance)}
    command = part_commands(settings, instance, code_server_address=settings.bind_address)[part]
    announce(f"starting {part}")
    os.execve(command[0], command, environment)  # noqa: S606 - our own program, without a shell
