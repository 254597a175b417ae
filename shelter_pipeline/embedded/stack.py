"""The embedded system as one thing: PostgreSQL, Dagster's three processes and the API, up together, down together.

    code-server ─ loads Shelter's definitions, starts runs     webserver ─ the user interface
    daemon ─ schedules, sensors, the queue of runs             PostgreSQL ─ the state of all of them
    api ─ what nodes and readers speak to

The children are told the settings of this process, whatever their source, and the URLs of
the running databases, so that all of them work on the same state. One stack at a time may
run on a home; what a killed one left behind is stopped before the next one starts.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.addresses import LOOPBACK, public_urls, web_url
from shelter_pipeline.embedded.dagster_client import DagsterClient
from shelter_pipeline.embedded.database import DatabaseUrls, database_urls, embedded_server
from shelter_pipeline.embedded.instance import Instance, write_instance
from shelter_pipeline.embedded.interrupts import Interrupts
from shelter_pipeline.embedded.locks import FileLock, claim_home, make_home
from shelter_pipeline.embedded.parts import (
    API,
    CODE_SERVER,
    DAEMON,
    DAGSTER_PARTS,
    DEFINITIONS,
    WEBSERVER,
    part_commands,
    part_environment,
)
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.embedded.processes import remembered, stop_sessions
from shelter_pipeline.embedded.supervisor import ChildPart, Report, Supervisor
from shelter_pipeline.settings import Settings

ALL_PARTS = (*DAGSTER_PARTS, API)
_STOP_ORDER = (API, DAEMON, WEBSERVER, CODE_SERVER)
GRACE_SECONDS = 20.0
_PROBE_SECONDS = 2.0


class Stack:
    """The parts that `settings` describe; `module` holds the Dagster definitions.

    `start`, `wait` and `stop` belong to the main thread. From `start` to `stop`, SIGTERM and SIGHUP raise
    KeyboardInterrupt like Ctrl-C does; during `stop`, another signal cuts the time of grace short.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Sequence[str] = DAGSTER_PARTS,
        *,
        module: str = DEFINITIONS,
        purpose: str = "shelter up",
    ) -> None:
        self._settings = settings
        self._wanted = tuple(part for part in ALL_PARTS if part in parts)
        self._module = module
        self._purpose = purpose
        self._interrupts = Interrupts()
        self._children: dict[str, ChildPart] = {}
        self._lock: FileLock | None = None
        self._server: EmbeddedPostgres | None = None
        self._supervisor: Supervisor | None = None
        self._databases: DatabaseUrls | None = None
        self._dagster = DagsterClient(web_url(settings.bind_address, settings.dagster_port))
        self._api_url = web_url(settings.api_bind_address, settings.api_port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> dict[str, str]:
        """Where to look, by what is there."""
        where = {"dagster": (WEBSERVER, self._dagster.url), "api": (API, self._api_url)}
        return {name: url for name, (part, url) in where.items() if part in self._wanted}

    @property
    def databases(self) -> DatabaseUrls:
        """The databases of the running stack. Raises SetupError before `start`."""
        if self._databases is None:
            raise SetupError("the stack has not been started")
        return self._databases

    def start(self, report: Report) -> None:
        """Start every part and return when each answers.

        `report` is given one line at a time, later also from another thread: where to look, and problems.
        Raises SetupError saying what to change; nothing is left running then.
        """
        self._interrupts.install()
        try:
            self._start(report)
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Return at Ctrl-C, SIGTERM or SIGHUP; the stack still runs then.

        Raises SetupError when a part cannot be kept alive, having stopped everything.
        """
        try:
            self._running.wait()
        except KeyboardInterrupt:
            return
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every part in order (API, daemon, webserver, code server with its runs, PostgreSQL) and wait."""
        with self._interrupts.counted():
            if self._supervisor is not None:
                self._supervisor.let_go()
            for name in _STOP_ORDER:
                if name in self._children:
                    self._children.pop(name).stop(GRACE_SECONDS, lambda: self._interrupts.count > 0)
            if self._server is not None:
                self._server.stop()
            if self._lock is not None:
                self._lock.close()
            self._supervisor = self._server = self._lock = self._databases = None
        self._interrupts.restore()

    @property
    def dagster(self) -> DagsterClient:
        """Dagster as its webserver shows it. Raises SetupError when a part has given up or nothing runs."""
        self._running.check()
        return self._dagster

    def switch_on_automation(self) -> list[str]:
        """Start the sensors and schedules that nobody has started or stopped yet; returns their names."""
        return self.dagster.switch_on_automation()

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise SetupError("the stack is not running")
        return self._supervisor

    def _start(self, report: Report) -> None:
        settings = self._settings
        home = make_home(settings.home_path)
        self._lock = claim_home(home, self._purpose)
        run_folder = home / "run"
        run_folder.mkdir(exist_ok=True)
        self._stop_leftovers(run_folder, report)
        began = time.time()
        check_ports(_ports(settings, self._wanted))
        supervisor = self._supervisor = Supervisor(report)
        self._start_database(supervisor, home, report)
        children = self._make_children(home, run_folder, write_instance(home, settings))
        # The webserver and the daemon load the definitions through the code server.
        for group in ((CODE_SERVER,), (WEBSERVER, DAEMON, API)):
            for name in group:
                if name in self._wanted:
                    self._children[name] = children[name]
                    supervisor.add(children[name])
            supervisor.await_answers(settings.start_timeout_seconds)
        # Without a fleet only this machine starts runs on the embedded server, so what ran before is gone.
        if self._server is not None and settings.broker_url is None and WEBSERVER in self._wanted:
            lost = self._dagster.cancel_lost_runs(began)
            if lost:
                report(f"{lost} runs ended with their machine or by force, and are marked as cancelled")
        for what, url in self.urls.items():
            report(f"{what} is at {url}")

    def _daemon_answers(self) -> bool:
        return self._dagster.has_daemons(since=self._children[DAEMON].started_at)

    def _stop_leftovers(self, run_folder: Path, report: Report) -> None:
        leftovers = remembered(run_folder)
        if leftovers:
            report("stopping what a former process of Shelter left running")
            stop_sessions(leftovers, GRACE_SECONDS)

    def _start_database(self, supervisor: Supervisor, home: Path, report: Report) -> None:
        self._server = embedded_server(self._settings)
        if self._server is not None:
            self._server.start()
            for notice in self._server.notices:
                report(notice)
            supervisor.add(DatabasePart(self._server, home / "logs" / "postgres.log"))
        self._databases = database_urls(self._settings, self._server)

    def _make_children(self, home: Path, run_folder: Path, instance: Instance) -> dict[str, ChildPart]:
        settings = self._settings
        environment = part_environment(settings, home, self.databases, instance)
        commands = part_commands(settings, instance, module=self._module)
        answers: dict[str, Callable[[], bool]] = {
            CODE_SERVER: lambda: _accepts(LOOPBACK, settings.code_server_port),
            WEBSERVER: self._dagster.has_location,
            # Without a webserver there is nobody to ask.
            DAEMON: self._daemon_answers if WEBSERVER in self._wanted else lambda: True,
            API: lambda: _is_healthy(self._api_url),
        }
        return {
            name: ChildPart(
                name,
                commands[name],
                home / "logs" / f"{name}.log",
                run_folder,
                answers[name],
                self._told(name, environment),
            )
            for name in answers
        }

    def _told(self, name: str, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment of one part: that of all, and where people find the pages that it leads to."""
        found = public_urls(self._settings)
        if name == API:
            # What it says of itself begins with the address that a caller used, unless the operator says otherwise.
            found.pop("api_public_url", None)
            # On one machine the metrics count requests, and a line for each would push all others out.
            return {"SHELTER_API_ACCESS_LOG": "false", **_as_variables(found), **environment}
        return {**_as_variables(found), **environment}


def _as_variables(chosen: Mapping[str, str]) -> dict[str, str]:
    return {f"SHELTER_{name.upper()}": value for name, value in chosen.items()}


class DatabasePart:
    """The embedded server as a part to be kept alive; stopping it stays with its owner."""

    name = "PostgreSQL"

    def __init__(self, server: EmbeddedPostgres, log: Path) -> None:
        self._server = server
        self.log = log

    def start(self) -> None:
        """Start it unless it runs. Raises SetupError."""
        self._server.start()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._server.is_running

    def answers(self) -> bool:
        """True: starting it waits for its answer."""
        return True


def check_ports(ports: Mapping[str, tuple[str, int]]) -> None:
    """Raise SetupError unless each of these (setting → address, port) is free and all differ."""
    taken: dict[int, str] = {}
    for setting, (address, port) in ports.items():
        if port in taken:
            raise SetupError(f"{setting} and {taken[port]} are both {port}; set another")
        taken[port] = setting
        _check_port(setting, address, port)


def _check_port(setting: str, address: str, port: int) -> None:
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # A connection of a server that just ended does not make its port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(f"port {port} ({setting}) is taken; set another") from None
        if error.errno == errno.EACCES:
            raise SetupError(
                f"port {port} ({setting}) is not allowed for this account; set another"
            ) from None
        raise SetupError(
            f"{_address_setting(setting)}: cannot listen on {address!r}: {error.strerror or error}"
        ) from None


def _ports(settings: Settings, parts: Sequence[str]) -> dict[str, tuple[str, int]]:
    ports = {}
    if CODE_SERVER in parts:
        ports["SHELTER_CODE_SERVER_PORT"] = (LOOPBACK, settings.code_server_port)
    if WEBSERVER in parts:
        ports["SHELTER_DAGSTER_PORT"] = (settings.bind_address, settings.dagster_port)
    if API in parts:
        ports["SHELTER_API_PORT"] = (settings.api_bind_address, settings.api_port)
    return ports


def _address_setting(port_setting: str) -> str:
    return "SHELTER_API_BIND_ADDRESS" if port_setting == "SHELTER_API_PORT" else "SHELTER_BIND_ADDRESS"


def _is_healthy(url: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and our own parts
            return session.get(f"{url}/health", timeout=_PROBE_SECONDS).ok
    except requests.RequestException:
        return False


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True
