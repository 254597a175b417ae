"""A real PostgreSQL under the home: started by whoever needs it first, stopped by whoever leaves last.

Every process that uses the server holds a shared lock on the home's `postgres/users`, and
the one that finds itself alone when it leaves shuts the server down. The kernel frees the
lock of a killed process, so nothing is counted and nothing can be miscounted: a server
whose starter was killed is used on, or restarted in order, by the next one who comes.

The server listens on a socket in a private folder and nowhere else, so access to that
folder is the whole of its access control.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.accounts import make_private_folder
from shelter_pipeline.embedded.binaries import Binaries, find_binaries
from shelter_pipeline.embedded.locks import FileLock, held_alone, make_home
from shelter_pipeline.embedded.logs import last_words, open_log
from shelter_pipeline.embedded.placement import (
    Placement,
    default_state_roots,
    place,
    postgres_folder,
    recorded_data,
)
from shelter_pipeline.embedded.postmaster import (
    answers_out_of_sight,
    end_backends,
    find_postmaster,
    forget_strangers,
    stop_postmaster,
)

SUPERUSER = "postgres"
_POLL_SECONDS = 0.05
# Nothing of our environment reaches the server: PG* variables would change it.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_INITDB = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    # Built into the server, so that sorting is the same on every machine.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Dagster opens connections without a pool, dozens for a run.
    "max_connections": "200",
    # Files in the data folder: a kill leaves nothing in /dev/shm, and a container's 64 MB of it is no limit.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "shelter",
}

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """The server of one home. `start` and `stop` mark the time this object needs it; both are idempotent.

    `options` are further settings of the server, for tests that trade safety for speed.
    `notices` tells, after `start`, what the person who started it should know.
    """

    def __init__(
        self,
        home: Path,
        *,
        os_user: str = "nobody",
        start_timeout_seconds: float = 60,
        options: Mapping[str, str] | None = None,
        binaries: Binaries | None = None,
        state_roots: Sequence[Path] | None = None,
    ) -> None:
        self._home = home
        self._os_user = os_user
        self._start_timeout_seconds = start_timeout_seconds
        self._options = {**_OPTIONS, **(options or {})}
        self._binaries = binaries
        self._roots = default_state_roots() if state_roots is None else state_roots
        self._users: FileLock | None = None
        self._placement: Placement | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.notices: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server runs, as far as its process tells."""
        return self._placement is not None and find_postmaster(self._placement.data) is not None

    @property
    def data(self) -> Path:
        """The data folder. Raises SetupError before the first `start`."""
        return self._place.data

    @property
    def _place(self) -> Placement:
        if self._placement is None:
            raise SetupError("the embedded PostgreSQL has not been started")
        return self._placement

    def start(self) -> None:
        """Return when the server answers, having made its data folder if there was none.

        A running server that nobody uses (its starter was killed) is restarted in order; one that is in
        use is shared. Raises SetupError saying what to change when there can be no server.
        """
        home = make_home(self._home)
        folder = postgres_folder(home)
        if self._users is not None:
            with held_alone(folder / "starting"):
                self._bring_up(home, restart=False)
            return
        users = FileLock(folder / "users")
        alone = users.try_alone()
        try:
            if not alone:
                users.share()
            with held_alone(folder / "starting"):
                self._bring_up(home, restart=alone)
            users.share()
        except BaseException:
            self._abandon_process()
            users.close()
            raise
        self._users = users

    def stop(self) -> None:
        """Shut the server down and wait for it, unless somebody else still uses it."""
        if self._users is None:
            return
        users, self._users = self._users, None
        try:
            if users.try_alone():
                self._shut_down()
        finally:
            users.close()
            self._forget_process()

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """The SQLAlchemy URL of a database of this server, by its socket."""
        running = find_postmaster(self._place.data)
        return _url(running.sockets if running else self._place.sockets, database, driver)

    def ensure_database(self, name: str) -> None:
        """Make the database if it is missing; several processes may ask at once."""
        with psycopg.connect(self.url("postgres", "postgresql"), autocommit=True) as connection:
            create_database(connection, name)

    def _bring_up(self, home: Path, *, restart: bool) -> None:
        placement = place(home, self._binaries or find_binaries(), self._os_user, self._roots)
        self._placement = placement
        self.notices = placement.notices
        for notice in placement.notices:
            _log.info(notice)
        running = find_postmaster(placement.data)
        if running and not restart:
            return
        if running:
            stop_postmaster(running, placement.data)
        if answers_out_of_sight(placement.data):
            raise SetupError(f"the database in {placement.data} is served from another container or machine")
        self._forget_process()
        end_backends(placement.data)
        forget_strangers(placement.data, placement.sockets)
        self._initialise(placement)
        self._launch(placement, home / "logs" / "postgres.log")

    def _initialise(self, placement: Placement) -> None:
        fresh = placement.data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if not placement.data.exists():
            try:
                _make_cluster(placement, fresh, durable=self._options.get("fsync") != "off")
                fresh.rename(placement.data)
            except OSError as error:
                raise SetupError(f"the database folder {placement.data} cannot be made: {error}") from error
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        _check_version(placement)

    def _launch(self, placement: Placement, log: Path) -> None:
        escaped = str(placement.sockets).replace('"', '""')
        options = {**self._options, "unix_socket_directories": f'"{escaped}"'}
        command = [placement.binaries.program("postgres"), "-D", str(placement.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with open_log(log) as output:
            begin = output.tell()
            self._process = self._spawn(command, placement, output)
        self._await_answer(self._process, _url(placement.sockets, "postgres", "postgresql"), log, begin)

    def _spawn(self, command: list[str], placement: Placement, output: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            # A session of its own: Ctrl-C in the terminal is for the supervisor, which stops us in order.
            return subprocess.Popen(
                command,
                cwd=placement.data,
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **placement.account.credentials,
            )
        except OSError as error:
            raise SetupError(f"PostgreSQL cannot be started from {command[0]}: {error}") from error

    def _await_answer(self, process: subprocess.Popen[bytes], url: str, log: Path, begin: int) -> None:
        deadline = time.monotonic() + self._start_timeout_seconds
        while process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(url, connect_timeout=5).close()
                return
            if time.monotonic() > deadline:
                self._abandon_process()
                raise SetupError(
                    f"PostgreSQL did not answer within {self._start_timeout_seconds:g} s"
                    f" (SHELTER_START_TIMEOUT_SECONDS); its log is {log}"
                )
            time.sleep(_POLL_SECONDS)
        raise SetupError(f"PostgreSQL did not start: {last_words(log, begin)}; its log is {log}")

    def _shut_down(self) -> None:
        running = find_postmaster(self._place.data)
        if running:
            stop_postmaster(running, self._place.data)
        with contextlib.suppress(OSError):
            self._place.sockets.rmdir()  # not empty means not ours

    def _abandon_process(self) -> None:
        """End a server that we started and that did not come to answer."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGQUIT)
            process.wait()

    def _forget_process(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.returncode = 0  # it goes on for its other users, and is no longer our child to wait for


def running_url(home: Path, database: str, driver: str) -> str | None:
    """The URL of a database of the home's server if that runs now; nothing is started, made or waited for."""
    running = find_postmaster(recorded_data(home))
    return _url(running.sockets, database, driver) if running else None


def _url(sockets: Path, database: str, driver: str) -> str:
    return f"{driver}://{SUPERUSER}:@/{quote(database, safe='')}?host={quote(str(sockets))}"


def create_database(connection: psycopg.Connection, name: str) -> None:
    """Make the database if it is missing; `connection` is in autocommit."""
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if found is None:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _make_cluster(placement: Placement, folder: Path, *, durable: bool) -> None:
    account = placement.account
    if not make_private_folder(folder, account):
        raise SetupError(f"the database folder {folder} cannot be made for the account {account.name!r}")
    command = [placement.binaries.program("initdb"), "-D", str(folder), *_INITDB]
    answer = subprocess.run(
        command if durable else [*command, "--no-sync"],
        cwd=folder.parent,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **account.credentials,
    )
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if "removing" not in line and line.strip()]
        raise SetupError(
            f"the database folder {placement.data} cannot be made: {' / '.join(lines[:2]) or 'initdb failed'}"
        )


def _check_version(placement: Placement) -> None:
    record = placement.data / "PG_VERSION"
    major = record.read_text().strip() if record.is_file() else ""
    if not major:
        raise SetupError(f"{placement.data} is not a PostgreSQL data folder; move it away to begin anew")
    if major != placement.binaries.major:
        raise SetupError(
            f"the database in {placement.data} was made by PostgreSQL {major} and this Shelter brings"
            f" {placement.binaries.major}: dump and restore it, or set SHELTER_HOME to another folder"
        )
