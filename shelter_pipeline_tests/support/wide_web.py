"""A web of hundreds of hosts in one process, which writes down every request: when, by whom, for what, until when.

    with running_wide_web(folder, WideWeb(files=1500, hosts=60, latency_seconds=0.1, port=8080)) as served:
        ...                                  # rescue served.web.portal
        judge(served.requests())

Run as a program it is the server: asyncio and nothing else, some thousand requests a second,
so that who is measured is the one who asks. The files of the catalogue lie in turn on its
hosts; each file's bytes follow from its number, so that anybody can say what it should be.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

CATALOGUE, _FILES_A_DATASET, _HOSTS_AN_OFFICE = "/data.json", 10, 10
_START_SECONDS, _GATE_SECONDS = 20.0, 0.05


@dataclass(frozen=True, slots=True)
class WideWeb:
    """What is served: so many files on so many hosts, each reply `latency_seconds` after its request.

    A host is an address of the loopback, or, with `domain`, a name below it, which a name server
    has to lead here.
    """

    files: int
    hosts: int
    latency_seconds: float
    port: int
    domain: str = ""
    title: str = "wide"
    spread: bool = True  # whether a host's files have several publishers, and so come into several batches
    free: int | None = (
        None  # so many files are answered before `ServedWeb.open()`; the next requests wait for it
    )

    def host(self, number: int) -> str:
        """The name and port of a host, as it stands in URLs."""
        name = f"h{number:03d}.{self.domain}" if self.domain else f"127.80.{number // 200}.{number % 200 + 1}"
        return name if self.port == 80 else f"{name}:{self.port}"

    @property
    def portal(self) -> str:
        """What `shelter harvest --portal` is told."""
        return f"dcat_us:http://{self.host(0)}{CATALOGUE}"

    @property
    def organizations(self) -> list[str]:
        """The slugs of the publishers, each of which has files on several hosts."""
        return [f"{self.title}-office-{number}" for number in range(-(-self.hosts // _HOSTS_AN_OFFICE))]

    def url(self, number: int) -> str:
        """Where a file is."""
        return f"http://{self.host(number % self.hosts)}/{number}.csv"

    def content(self, number: int) -> bytes:
        """A table of some kilobytes that no other file equals."""
        seed = hashlib.sha256(f"{self.title} {number}".encode()).hexdigest()
        rows = "".join(f"{row},{seed[row % 64 :]},{number * row}\n" for row in range(20 + number % 30))
        return f"row,seed of {number},value\n{rows}".encode()

    def catalogue(self) -> bytes:
        """The portal's data.json."""
        groups: dict[tuple[int, int], list[int]] = {}
        for number in range(self.files):
            host, turn = number % self.hosts, number // self.hosts
            groups.setdefault((host, turn // _FILES_A_DATASET), []).append(number)
        datasets = [self._dataset(host, turn, numbers) for (host, turn), numbers in groups.items()]
        return json.dumps(
            {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": datasets}
        ).encode()

    def _office(self, host: int, turn: int) -> str:
        office = host // _HOSTS_AN_OFFICE + (turn if self.spread else 0)
        return self.organizations[office % len(self.organizations)]

    def _dataset(self, host: int, turn: int, numbers: Sequence[int]) -> dict[str, Any]:
        return {
            "@type": "dcat:Dataset",
            "identifier": f"{self.title}-{host}-{turn}",
            "title": f"Measurements of host {host}, part {turn}",
            "publisher": {"name": self._office(host, turn).replace("-", " ").title()},
            "distribution": [
                {"downloadURL": self.url(number), "mediaType": "text/csv", "title": f"Table {number}"}
                for number in numbers
            ],
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: seconds of `time.monotonic` of its head's arrival and of its reply's end; 0 is no reply."""

    began: float
    ended: float
    client: str
    host: str
    method: str
    path: str
    status: int


class ServedWeb:
    """A server that runs: what it serves and what it was asked."""

    def __init__(self, web: WideWeb, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.web = web
        self.process = process
        self._log = log

    def open(self) -> None:
        """Answer what waits, and all that comes."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"open\n")

    def requests(self) -> list[Asked]:
        """Every request that has ended, in the order of their ends."""
        lines = self._log.read_text(encoding="ascii").splitlines() if self._log.exists() else []
        return [_read(line) for line in lines if line.endswith(";")]


def _read(line: str) -> Asked:
    began, ended, client, host, method, path, status, _ = line.split(" ")
    return Asked(float(began), float(ended), client, host, method, path, int(status))


@contextmanager
def running_wide_web(folder: Path, web: WideWeb) -> Iterator[ServedWeb]:
    """The server as a process of its own for the length of a block; its log is in `folder`."""
    log = folder / f"{web.title}.requests"
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(log), json.dumps(asdict(web))],
        stdin=subprocess.PIPE,  # it ends with us
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the wide web did not start on port {web.port}")
            yield ServedWeb(web, log, process)
        finally:
            process.kill()


class _Connection(asyncio.Protocol):
    """One client's connection: requests one after another, as HTTP/1.1 has them without a body."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._buffer = b""
        self._waiting: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._head: tuple[str, str, str] | None = None
        self._transport: Any = None
        self._client = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._client = transport.get_extra_info("peername")[0]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._head is None:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        if self._head is not None:  # whoever asked went away
            self._note(0)

    def _next(self) -> None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        self._buffer, self._began = rest, time.monotonic()
        first, *fields = head.decode("latin-1").split("\r\n")
        method, path, _version = first.split(" ")
        hosts = [
            value.strip()
            for name, _, value in (field.partition(":") for field in fields)
            if name.lower() == "host"
        ]
        self._head = (method, path, hosts[0] if hosts else "-")
        latency = 0.0 if path == CATALOGUE else self._server.web.latency_seconds
        self._waiting = asyncio.get_running_loop().call_later(latency, self._answer_if_open)

    def _answer_if_open(self) -> None:
        assert self._head is not None
        if self._head[1] == CATALOGUE or self._server.lets_through():
            self._answer()
        else:
            self._waiting = asyncio.get_running_loop().call_later(_GATE_SECONDS, self._answer_if_open)

    def _answer(self) -> None:
        assert self._head is not None
        method, path, _host = self._head
        status, kind, body = self._server.reply(path)
        fields = f'Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nETag: "{path}"\r\n'
        head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}\r\n{fields}\r\n"
        self._transport.write(head.encode() + (b"" if method == "HEAD" else body))
        self._waiting = None
        self._note(status)
        self._next()

    def _note(self, status: int) -> None:
        assert self._head is not None
        method, path, host = self._head
        self._head = None
        self._server.note(
            f"{self._began:.6f} {time.monotonic():.6f} {self._client} {host} {method} {path} {status} ;\n"
        )


class _Server:
    def __init__(self, web: WideWeb, log: Path) -> None:
        self.web = web
        self._catalogue = web.catalogue()
        self._file = log.open("a", encoding="ascii", buffering=1)
        self._free = web.free

    def lets_through(self) -> bool:
        """Whether one more file may be answered."""
        if self._free is None:
            return True
        self._free -= 1
        return self._free >= 0

    def open(self) -> None:
        self._free = None

    def reply(self, path: str) -> tuple[int, str, bytes]:
        """Status, media type, body."""
        if path == CATALOGUE:
            return 200, "application/json", self._catalogue
        number = path.removeprefix("/").removesuffix(".csv")
        if not number.isdecimal() or int(number) >= self.web.files:
            return 404, "text/plain", b"there is no such page"
        return 200, "text/csv", self.web.content(int(number))

    def note(self, line: str) -> None:
        self._file.write(line)


async def _serve(web: WideWeb, log: Path) -> None:
    loop = asyncio.get_running_loop()
    told = _Server(web, log)
    server = await loop.create_server(partial(_Connection, told), "0.0.0.0", web.port, backlog=4096)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    # The end of whoever started us is ours.
    while await loop.run_in_executor(None, sys.stdin.readline):
        told.open()
    server.close()


if __name__ == "__main__":
    with suppress(PermissionError):
        os.nice(-15)  # what it notes is when a request arrived, and not when there was time for it
    asyncio.run(_serve(WideWeb(**json.loads(sys.argv[2])), Path(sys.argv[1])))
