"""compose.yaml up, natively: every service a process, on an address of its own, in one folder.

    with Topology(folder, scale={"worker": 2}, settings={"SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8"}) as fleet:
        fleet.start()
        requests.get(f"{fleet.urls['api']}/health")
        fleet.kill("redis")                  # and it comes back, as its restart policy says
        fleet.kill("worker-2", hold=True)    # until start_service("worker-2")
        fleet.wait_until_healthy("redis")

A service that is scaled has its replicas named `worker-1`, `worker-2` …; every other process has the name of
its service. What a process writes is in `folder/logs/NAME.log`, its files are below `folder/roots/NAME`, named
volumes below `folder/volumes`, and the secrets made for this folder in `folder/secrets.env`.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from docker.native.compose_file import Service, read_compose
from docker.native.keeping import claim_folder, claim_network, kept_ports, kept_secrets, make_files
from docker.native.process import Process
from docker.native.stand_ins import Program, check_programs, kind_of, program_of, with_ports
from docker.native.translation import Translator
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.locks import FileLock, make_home
from shelter_pipeline.embedded.processes import remembered, stop_sessions

COMPOSE = Path(__file__).resolve().parents[1] / "compose.yaml"
_PROXY = "proxy"
# Where things are found, by the ports of compose.yaml: behind the proxy, and without it.
PUBLISHED = {"api": (_PROXY, 8080), "dagster": (_PROXY, 3000)}
_UNPUBLISHED = {"api": ("api", 8000), "dagster": ("webserver", 3000)}
UI_USER = "shelter"
_FIRST_ADDRESS = 10
_POLL_SECONDS = 0.2
_PROBE_PAUSE_SECONDS = 0.5
_LEFTOVER_SECONDS = 10.0
_TRIED_STARTS = 3
_S3_PORT = 8333


class Topology:
    """The services of compose.yaml as processes; nothing is started before `start`.

    `scale` says how many replicas (worker: 1 unless said), `settings` are further variables of our own
    services, told as they stand, and `variables` of single processes by name (a clock, a disk). `wrap` puts
    words before a process's command, such as `ip netns exec machine-2`. `network` is the /24 to listen in,
    as in `10.77.0`, where the addresses exist already; unset, a free one of the loopback is taken. `only` leaves
    out what these services do not depend on.
    """

    def __init__(
        self,
        folder: Path,
        *,
        scale: Mapping[str, int] | None = None,
        settings: Mapping[str, str] | None = None,
        variables: Mapping[str, Mapping[str, str]] | None = None,
        wrap: Mapping[str, Sequence[str]] | None = None,
        network: str | None = None,
        only: Collection[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = make_home(folder)
        self.processes: dict[str, Process] = {}
        self.secrets = kept_secrets(self.folder / "secrets.env", COMPOSE.read_text(encoding="utf-8"))
        self._compose = read_compose(COMPOSE, self.secrets)
        if only:
            self._compose = self._compose.only(only)
        worker = {"worker": 1} if "worker" in self._compose.services else {}
        self._scale = worker | dict(scale or {})
        self._settings, self._variables, self._wrap = dict(settings or {}), variables or {}, wrap or {}
        self._network = network
        self._say = say
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._lock: FileLock | None = None
        self._claim: socket.socket | None = None
        self._translator: Translator | None = None
        self._weed_ports: dict[str, int] = {}
        self._check_names()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> dict[str, str]:
        """Where to look: `api`, and `dagster`, where the proxy asks for `login`; the services themselves without it."""
        where = PUBLISHED if _PROXY in self.processes else _UNPUBLISHED
        return {
            what: f"http://{self.address(name)}:{port}"
            for what, (name, port) in where.items()
            if name in self.processes
        }

    @property
    def login(self) -> tuple[str, str]:
        """User and password of the user interface."""
        return UI_USER, self.secrets["SHELTER_UI_PASSWORD"]

    def address(self, name: str) -> str:
        """The address of a process or service. Raises SetupError before `start` and for an unknown name."""
        try:
            return self._places.addresses[name]
        except KeyError:
            raise self._unknown(name) from None

    def environment(self, name: str) -> dict[str, str]:
        """The whole environment of a process, as for running a command beside it. Raises SetupError."""
        return dict(self._process(name).program.environment)

    def log(self, name: str) -> str:
        """What a process has written so far. Raises SetupError for an unknown name."""
        path = self._process(name).log
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self, timeout_seconds: float = 180) -> None:
        """Start every service in the order of its dependencies; return when each is healthy.

        Raises SetupError saying what is missing or what went wrong; nothing is left running then.
        """
        try:
            self._prepare()
            self._bring_up(timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def start_service(self, name: str) -> None:
        """Start a process that was stopped or killed, at once; it need not be healthy yet. Raises SetupError."""
        self._process(name).start()

    def stop_service(self, name: str) -> None:
        """Stop a process in order, and keep it down until `start_service`. Raises SetupError."""
        self._process(name).stop()

    def kill(self, name: str, *, hold: bool = False) -> None:
        """Kill a process and all it started (SIGKILL); it comes back by its restart policy unless held."""
        self._process(name).kill(hold=hold)

    def wait_until_healthy(self, *names: str, timeout_seconds: float = 120) -> None:
        """Return when these processes (all, if none is named) are healthy. Raises SetupError with the last words."""
        waiting = [self._process(name) for name in names or self.processes]
        self._await([process for process in waiting if process.restarts], timeout_seconds)

    def is_healthy(self, name: str) -> bool:
        """Whether a process's health check is content now. Raises SetupError for an unknown name."""
        process = self._process(name)
        health = self._compose.services[_service_of(name, self._scale)].health
        if health is None:
            return process.answers((), 0)
        return process.answers(self._told(name, health.test), health.timeout_seconds)

    def stop(self, grace_seconds: float | None = None) -> None:
        """Stop everything, those first on which nobody depends, each with its own time of grace or this one."""
        self._stopping.set()
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None
        for names in reversed(self._compose.levels()):
            threads = [
                threading.Thread(target=process.stop, args=(grace_seconds,))
                for name, process in self.processes.items()
                if _service_of(name, self._scale) in names
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for held in (self._claim, self._lock):
            if held is not None:
                held.close()
        self._claim = self._lock = None

    @property
    def _places(self) -> Translator:
        if self._translator is None:
            raise SetupError("the topology has not been started")
        return self._translator

    def _check_names(self) -> None:
        for name, count in self._scale.items():
            if name not in self._compose.services or count < 0:
                raise SetupError(
                    f"scale: {name}={count} names no service of compose.yaml or no number of replicas"
                )
        known = {name for service in self._compose.services for name in self._replicas(service)}
        for name in (*self._variables, *self._wrap):
            if name not in known:
                raise self._unknown(name)

    def _unknown(self, name: str) -> SetupError:
        known = ", ".join(each for service in self._compose.services for each in self._replicas(service))
        return SetupError(f"there is no process {name!r}; there are {known}")

    def _replicas(self, service: str) -> list[str]:
        if service not in self._scale:
            return [service]
        return [f"{service}-{number}" for number in range(1, self._scale[service] + 1)]

    def _process(self, name: str) -> Process:
        try:
            return self.processes[name]
        except KeyError:
            raise self._unknown(name) from None

    def _prepare(self) -> None:
        check_programs([service.image for service in self._compose.services.values()])
        self._lock = claim_folder(self.folder)
        run_folder = self.folder / "run"
        run_folder.mkdir(exist_ok=True)
        stop_sessions(remembered(run_folder), _LEFTOVER_SECONDS)
        self._stopping.clear()
        self._translator = self._place()
        for service in self._compose.services.values():
            for name in self._replicas(service.name):
                self.processes[name] = Process(
                    name,
                    self._program(service, name),
                    self.folder,
                    restarts=service.restarts,
                    grace_seconds=service.grace_seconds,
                )

    def _place(self) -> Translator:
        prefix = self._network or self._claimed_network()
        names = [name for service in self._compose.services for name in self._replicas(service)]
        addresses = {name: f"{prefix}.{_FIRST_ADDRESS + number}" for number, name in enumerate(names)}
        for service in self._compose.services:
            for name in self._replicas(service)[:1]:
                addresses.setdefault(service, addresses[name])
        objects = [
            name for name, each in self._compose.services.items() if kind_of(each.image) == "seaweedfs"
        ]
        self._weed_ports = kept_ports(self.folder / "ports.json")
        ports = {(name, _S3_PORT): self._weed_ports["s3.port"] for name in objects}
        return Translator(self._compose, prefix, addresses, ports)

    def _claimed_network(self) -> str:
        self._claim, prefix = claim_network(self.folder / "network")
        return prefix

    def _program(self, service: Service, name: str) -> Program:
        root = self.folder / "roots" / name
        make_files(service, root, self.folder / "volumes")
        ours = kind_of(service.image) == "shelter"
        environment = {
            key: self._told(name, (self._places.host(value),))[0]
            for key, value in service.environment.items()
        }
        if ours and name != service.name:
            # A container has a host name of its own, by which workers are told apart.
            environment["SHELTER_WORKER_NAME"] = name
        command = self._told(name, service.command)
        if kind_of(service.image) == "seaweedfs":
            command = with_ports(command, self._weed_ports)
        self._copy_files(service, name, root)
        program = program_of(
            service.image,
            command,
            environment | (self._settings if ours else {}) | dict(self._variables.get(name, {})),
            root,
            self.address(name),
        )
        program.command = (*self._wrap.get(name, ()), *program.command)
        return program

    def _told(self, name: str, texts: Sequence[str]) -> tuple[str, ...]:
        service = self._compose.services[_service_of(name, self._scale)]
        paths = tuple(mount.target for mount in service.mounts)
        root = self.folder / "roots" / name
        own = self.address(name)
        return tuple(self._places.text(text, service.name, own=own, root=root, paths=paths) for text in texts)

    def _copy_files(self, service: Service, name: str, root: Path) -> None:
        for mount in service.mounts:
            if mount.is_file:
                text = (self._compose.folder / mount.source).read_text(encoding="utf-8")
                if kind_of(service.image) == "nginx" and _is_root():
                    text = f"user root;\n{text}"
                target = root / mount.target.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self._told(name, (text,))[0], encoding="utf-8")

    def _bring_up(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        self._keeper = threading.Thread(target=self._keep, name="docker.native", daemon=True)
        self._keeper.start()
        waiting, healthy = dict(self._compose.services), set[str]()
        due = dict.fromkeys(self.processes, 0.0)
        while waiting or len(healthy) < len(self.processes):
            for name in [name for name, service in waiting.items() if self._may_start(service, healthy)]:
                waiting.pop(name)
                for replica in self._replicas(name):
                    self._say(f"starting {replica}")
                    self.processes[replica].start()
            for name in self.processes.keys() - healthy:
                began = time.monotonic()
                if began >= due[name] and self._is_ready(name):
                    healthy.add(name)
                # What is asked takes from what is starting: never more than a third of the time.
                due[name] = time.monotonic() + 2 * (time.monotonic() - began)
            if time.monotonic() > deadline:
                raise self._late([name for name in self.processes if name not in healthy], timeout_seconds)
            time.sleep(_PROBE_PAUSE_SECONDS)

    def _may_start(self, service: Service, healthy: set[str]) -> bool:
        started = {name for name, process in self.processes.items() if process.starts}
        return all(
            set(self._replicas(other)) <= (started if condition == "service_started" else healthy)
            for other, condition in service.depends_on.items()
        )

    def _is_ready(self, name: str) -> bool:
        """Whether it is healthy, or has ended well if it is one that ends. Raises SetupError when it fails to start."""
        process = self.processes[name]
        if not process.starts:
            return False
        if not process.restarts and process.exit_code is not None:
            if process.exit_code:
                raise SetupError(f"{name} failed: {process.last_words()}; its log is {process.log}")
            return True
        if process.starts > _TRIED_STARTS:
            raise SetupError(f"{name} does not stay up: {process.last_words()}; its log is {process.log}")
        return process.restarts and self.is_healthy(name)

    def _await(self, waiting: list[Process], timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while waiting := [process for process in waiting if not self.is_healthy(process.name)]:
            if time.monotonic() > deadline:
                raise self._late([process.name for process in waiting], timeout_seconds)
            time.sleep(_PROBE_PAUSE_SECONDS)

    def _late(self, names: list[str], timeout_seconds: float) -> SetupError:
        process = self.processes[names[0]]
        words = f": {process.last_words()}" if process.log.exists() else ""
        return SetupError(
            f"{', '.join(names)} not healthy within {timeout_seconds:g} s; of {process.name}{words}; its log is"
            f" {process.log}"
        )

    def _keep(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            for process in list(self.processes.values()):
                try:
                    process.restart_if_due()
                except SetupError as error:
                    self._say(str(error))


def _service_of(name: str, scale: Mapping[str, int]) -> str:
    service, _, number = name.rpartition("-")
    return service if number.isdigit() and service in scale else name


def _is_root() -> bool:
    return os.geteuid() == 0
