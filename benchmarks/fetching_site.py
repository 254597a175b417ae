"""Files of four kinds, generated once, and the nginx that serves them on loopback.

Contents follow from a seed: the same sizes and the same bytes in every run, no two files
alike, and all of it text, as most rescued files are. The hosts of the set `latency` are
loopback addresses of their own, which let every request wait before they answer.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LATENCY_SECONDS = 0.1
_SEED = 20_261_123
_BLOCK_BYTES = 8_000_000
_FILES_PER_DATASET = 100
_SMALL = (1_000, 50_000)
_ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")  # Debian's nginx-light comes with it
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that are fetched in one go. `connections` is what every contestant may have open at once."""

    name: str
    connections: int
    hosts: int
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """All files together."""
        return sum(self.sizes)

    @property
    def expected(self) -> dict[str, int]:
        """The size of each file by its name."""
        return dict(zip(self.names, self.sizes, strict=True))


def make_sets(scale: float) -> dict[str, FileSet]:
    """What is to be fetched, at a share of the full size: fewer files, and for `large` smaller ones."""
    chance = random.Random(_SEED)

    def some(name: str, files: int, connections: int, hosts: int, sizes: tuple[int, int]) -> FileSet:
        names = tuple(f"{name}-{number:06d}.csv" for number in range(files))
        return FileSet(name, connections, hosts, names, tuple(chance.randint(*sizes) for _ in names))

    def part(count: int) -> int:
        return max(1, round(count * scale))

    megabyte, large = (1_000_000, 1_000_000), (part(10**9), part(10**9))
    return {
        "small": some("small", part(20_000), 16, 1, _SMALL),
        "medium": some("medium", part(2_000), 16, 1, megabyte),
        "large": some("large", 4, 4, 1, large),
        "latency": some("latency", 200 * part(20), 200, 200, _SMALL),
    }


def write_set(root: Path, files: FileSet) -> None:
    """Write the files of a set below the root of the site."""
    (root / files.name).mkdir(parents=True)
    chance = random.Random(_SEED)
    digits = chance.randbytes(_BLOCK_BYTES // 2).hex().encode()
    block = memoryview(b"\n".join(digits[at : at + 79] for at in range(0, len(digits), 79)))
    for name, size in files.expected.items():
        with (root / files.name / name).open("wb") as out:
            left = size - out.write(f"{name},depth\n".encode()[:size])
            while left:
                start = chance.randrange(len(block) // 2)
                left -= out.write(block[start : start + min(left, len(block) // 2)])


@dataclass(slots=True)
class Site:
    """The nginx under way."""

    root: Path
    port: int
    sets: dict[str, FileSet] = field(default_factory=dict)

    def urls(self, files: FileSet) -> list[str]:
        """Where each file of a set is, in its order."""
        return [
            f"{self.host(files.hosts, number)}/{files.name}/{name}" for number, name in enumerate(files.names)
        ]

    def portal(self, files: FileSet) -> str:
        """The address of a DCAT-US document that lists the set as the files of one organization."""
        return f"http://127.0.0.1:{self.port}/portal/{files.name}/data.json"

    def write_portal(self, files: FileSet) -> None:
        """Write that document."""
        urls = self.urls(files)
        datasets = [
            _dataset(files, first, urls[first : first + _FILES_PER_DATASET])
            for first in range(0, len(urls), _FILES_PER_DATASET)
        ]
        folder = self.root / "portal" / files.name
        folder.mkdir(parents=True)
        (folder / "data.json").write_text(json.dumps({"dataset": datasets}))

    def host(self, hosts: int, number: int) -> str:
        """Where the file of this number is, of a set that lies on so many hosts."""
        address = _slow_address(number % hosts) if hosts > 1 else "127.0.0.1"
        return f"http://{address}:{self.port}"


def _dataset(files: FileSet, first: int, urls: list[str]) -> dict[str, Any]:
    return {
        "@type": "dcat:Dataset",
        "identifier": f"{files.name}-{first}",
        "title": f"Files of {files.name} from {first}",
        "publisher": {"name": f"Office of {files.name}"},
        "distribution": [
            {"downloadURL": url, "mediaType": "text/csv", "byteSize": size}
            for url, size in zip(urls, files.sizes[first:], strict=False)
        ],
    }


def _slow_address(number: int) -> str:
    return f"127.1.0.{number + 1}"


def find_nginx() -> str | None:
    """The path of an installed nginx; None if there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def can_wait() -> bool:
    """Whether this nginx can let a request wait, which the set `latency` needs."""
    return _ECHO.is_file()


@contextmanager
def serving(folder: Path, sets: dict[str, FileSet]) -> Iterator[Site]:
    """An nginx over the files of these sets, for the length of a block. RuntimeError if it does not come up."""
    site = Site(folder / "site", _free_port(), sets)
    for files in sets.values():
        write_set(site.root, files)
        site.write_portal(files)
    config = folder / "nginx.conf"
    hosts = max(files.hosts for files in sets.values())
    config.write_text(_configuration(folder, site, hosts if hosts > 1 else 0))
    words = folder / "nginx.log"
    with subprocess.Popen(
        [find_nginx() or "nginx", "-p", str(folder), "-e", str(words), "-c", str(config)]
    ) as server:
        try:
            _await(server, site.port, words)
            yield site
        finally:
            server.terminate()


def _configuration(folder: Path, site: Site, slow_hosts: int) -> str:
    shared = f"root {site.root}; default_type text/csv; access_log off; sendfile on; tcp_nopush on;"
    slow = ""
    if slow_hosts:
        listen = " ".join(f"listen {_slow_address(number)}:{site.port};" for number in range(slow_hosts))
        slow = (
            f"server {{ {listen} location / {{ echo_sleep {LATENCY_SECONDS}; echo_exec /now$uri; }}"
            f" location /now/ {{ internal; alias {site.root}/; }} }}"
        )
    return "\n".join(
        (
            f"load_module {_ECHO};" if slow_hosts else "",
            "daemon off; worker_processes 2; worker_rlimit_nofile 8192;",
            f"pid {folder}/nginx.pid; events {{ worker_connections 4096; }}",
            f"http {{ {shared} keepalive_requests 10000000;",
            *(f"{name}_temp_path {folder}/nginx-{name};" for name in _TEMPORARY),
            f"server {{ listen 127.0.0.1:{site.port}; }}",
            slow,
            "}",
        )
    )


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: subprocess.Popen[bytes], port: int, words: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = words.read_text()[-2000:] if words.is_file() else ""
    raise RuntimeError(f"nginx did not come up: {said}")
