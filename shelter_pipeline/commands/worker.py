"""`shelter worker`, `shelter serve`: one process of a fleet in the foreground; `shelter automate` sets it going."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from shelter_pipeline.commands.printing import AsJson, announce, out, print_rows
from shelter_pipeline.domain.errors import SetupError
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
    _become("worker", settings)


def fleet(as_json: AsJson = False) -> None:
    """Show the machines of the fleet that were heard of within the day, and what each is at."""
    from shelter_pipeline.operations.fleet import workers
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = workers(workplace)
    print_rows("workers", rows, as_json)


def automate(
    dagster: Annotated[
        str, typer.Option(help="Address of the Dagster webserver. Default: the one that the settings name.")
    ] = "",
) -> None:
    """Switch on the sensors and schedules that nobody has switched on or off yet; `shelter up` does so itself."""
    from shelter_pipeline.embedded.dagster_client import DagsterClient
    from shelter_pipeline.embedded.stack import web_url

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

    home = make_home(settings.home_path)
    instance = write_instance(home, settings)
    with open_database(settings) as databases:
        environment = {**os.environ, **part_environment(settings, home, databases, instance)}
    command = part_commands(settings, instance, code_server_address=settings.bind_address)[part]
    announce(f"starting {part}")
    os.execve(command[0], command, environment)  # noqa: S606 - our own program, without a shell
