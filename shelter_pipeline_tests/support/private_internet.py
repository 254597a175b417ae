"""An internet of one machine, in a network namespace: every address answers, and says who was called.

Run as a program under `unshare --net --mount`, it gives the loopback device public,
private and reserved addresses, points the resolver at a name server of its own, and lets
the real engine loose on every combination of spelling, hop and answer. What a forbidden
address was asked is counted where it is called: at the sockets that listen on all of
them. The report is JSON on standard output.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Downloader, Promise
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.operations.fetch_url import fetch_url
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.name_server import Answer, NameServer

PUBLIC, SECRET = "93.184.216.34", b"the secret page of a private network"
NOWHERE = "93.184.216.99"  # public, and nobody there says a word
FORBIDDEN = [
    *("10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.1"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.0.1"),
    *("168.63.129.16", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.10", "192.88.99.1", "0.1.2.3"),
    *("fd00:ec2::254", "fc00::1", "fec0::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:0:1::1", "100::1", "::127.0.0.1", "3fff::1"),
]
SPELLINGS = [
    *("127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1"),
    *("017700000001", "0177.0.0.1", "0", "0.0.0.0", "00", "localhost", "localhost.", "LOCALHOST"),
    *(
        "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
        "127\u30020\u30020\u30021",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    ),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:0]"),
    *("012.0.0.1", "167772161", "0xa.1", "192.168.1", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376"),
    *("169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"),
    *(f"[{address}]" if ":" in address else address for address in FORBIDDEN),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[fe80::1]"),
]
NAMES: dict[str, Answer] = {
    "public.test": [PUBLIC],
    "private.test": ["10.0.0.1"],
    "loop.test": ["127.0.0.1"],
    "zero.test": ["0.0.0.0"],
    "metadata.google.internal": ["169.254.169.254"],
    "six.test": ["fd00:ec2::254"],
    "mapped.test": ["::ffff:10.0.0.1"],
    "translated.test": ["64:ff9b::a00:1"],
    "both-private.test": ["10.0.0.1", "fd00:ec2::254"],
    "mixed.test": [PUBLIC, "10.0.0.1"],
    "mixed-first.test": ["10.0.0.1", PUBLIC],
    "mixed-six.test": [PUBLIC, "fd00:ec2::254"],
    "many.test": [*["10.0.0.1", "192.168.0.1", "169.254.169.254"] * 5, PUBLIC],
    "rebind.test": lambda number: [PUBLIC if number % 2 else "10.0.0.1"],
    "rebind-loop.test": lambda number: ["127.0.0.1" if number % 2 else PUBLIC],
    "rebind-mixed.test": lambda number: [PUBLIC] if number % 2 else [PUBLIC, "169.254.169.254"],
    "nowhere.test": [NOWHERE],
    "silent.test": None,
}
ALIASES = {"alias.test": "private.test", "alias-public.test": "public.test"}
TARGETS = [
    *SPELLINGS,
    *(name for name in (*NAMES, *ALIASES) if "public" not in name and "nowhere" not in name),
]
TARGETS.remove("silent.test")
PORTS = (80, 443, 8080)
REBINDINGS = 500


class Listeners:
    """Sockets on all addresses; the public one redirects and serves, every other one gives its secret away."""

    def __init__(self) -> None:
        self.called: Counter[str] = Counter()
        self.lock = threading.Lock()
        for family, port in itertools.product((socket.AF_INET, socket.AF_INET6), PORTS):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("", port))
            listener.listen(128)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _peer = listener.accept()
            with self.lock:
                self.called[connection.getsockname()[0]] += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            public = connection.getsockname()[0] == PUBLIC
            while request := connection.recv(65_536):
                if not request.startswith(b"GET "):
                    return  # a TLS handshake, to which nobody answers here
                path = request.split(b" ", 2)[1].decode("ascii")
                connection.sendall(_answer(path) if public else _page(SECRET))


def _page(body: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _answer(path: str) -> bytes:
    """`/<status>/<how many redirects>/<target in base64>` leads to the target after so many redirects."""
    parts = path.split("/")
    if len(parts) != 4:
        return _page(b"the public page")
    status, count, target = parts[1], int(parts[2]), base64.urlsafe_b64decode(parts[3]).decode()
    location = target if count == 1 else f"/{status}/{count - 1}/{parts[3]}"
    written = location.encode().decode("latin-1")
    return f"HTTP/1.1 {status} Go\r\nLocation: {written}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")


def prepare(folder: Path) -> None:
    """Addresses for the loopback device, a way to nowhere, and our resolver for the whole namespace."""

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    ip("link", "set", "lo", "up")
    for address in (PUBLIC, *FORBIDDEN):
        with suppress(subprocess.CalledProcessError):  # some are no address that a device may have
            ip("addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo")
    ip("route", "add", f"{NOWHERE}/32", "dev", "lo")  # comes back as somebody else's, and is dropped
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:5 attempts:2\n")
    subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)


def combinations() -> Iterator[str]:
    """Every way to every forbidden target: straight, over each kind of redirect, and at the end of a chain."""
    for target in TARGETS:
        urls = [f"http://{target}/", f"http://{target}:8080/", f"https://{target}/"]
        yield from urls
        for url, start, status in itertools.product(urls, (PUBLIC, "public.test"), (301, 302, 303, 307, 308)):
            yield _over(start, status, 1, url)
        for url, count in itertools.product(urls, (2, 5)):
            yield _over(PUBLIC, 302, count, url)


def _over(start: str, status: int, count: int, target: str) -> str:
    return f"http://{start}/{status}/{count}/{base64.urlsafe_b64encode(target.encode()).decode()}"


def settings() -> Settings:
    return load_settings(
        fetch_connect_timeout_seconds=2,
        fetch_total_deadline_seconds=5,
        fetch_max_attempts=1,
        fetch_max_redirects=10,
        host_delay_seconds=0,
    )


def ask(door: Door, url: str) -> str:
    """The reason of the error, or the page."""
    try:
        return door.read(url).body.decode()
    except ShelterError as error:
        return error.reason


def report(folder: Path) -> dict[str, Any]:
    chosen = settings()
    listeners = Listeners()
    outcomes: Counter[str] = Counter()
    door = Door.of(chosen)
    ways = list(combinations())
    for url in ways:
        outcomes[ask(door, url)] += 1
    rebound: Counter[str] = Counter()
    for number in range(REBINDINGS):
        name = ("rebind.test", "rebind-loop.test", "rebind-mixed.test")[number % 3]
        # A door of its own each time, as another process would have: none remembers an answer of before.
        rebound[ask(Door.of(chosen), f"http://{name}/")] += 1
        rebound[ask(Door.of(chosen), _over(name, 302, 1, f"http://{name}:8080/"))] += 1
    fetched: Counter[str] = Counter()
    straight = [f"http://{target}/" for target in TARGETS]
    for url in (*straight, *(_over(PUBLIC, 302, 1, there) for there in straight)):
        fetched[fetch_url(url, settings=chosen, store=str(folder / "store"))["verdict"]] += 1
    together = _together(folder, chosen, ways[::5])
    return {
        "combinations": len(ways),
        "outcomes": outcomes,
        "rebound": rebound,
        "together": together,
        "fetched": fetched,
        "control": ask(Door.of(chosen), _over("alias-public.test", 302, 3, "http://public.test:8080/")),
        "waits": dict(_waits(folder)),
        "called": dict(listeners.called),
        "secrets": sum(
            SECRET in path.read_bytes() for path in (folder / "store").rglob("*") if path.is_file()
        ),
        "reachable": _reachable(),
    }


def _together(folder: Path, chosen: Settings, urls: list[str]) -> Counter[str]:
    """The verdicts of the engine that runs many transfers at once."""
    store, politeness = LocalStore(folder / "store"), Politeness.of(chosen)
    downloader = Downloader(Door.of(chosen), store, max_attempts=1, retry_delay_seconds=0.01)
    with Engine(downloader, store, politeness, connections=32) as engine:
        for url in urls:
            engine.fetch(url, url, Promise())
        ended: Counter[str] = Counter()
        until = time.monotonic() + 60
        while engine.pending and time.monotonic() < until:
            ended.update(capture.verdict.value for _url, capture in engine.results(1.0))
    return ended


def _waits(folder: Path) -> Iterator[tuple[str, tuple[str, float]]]:
    """What becomes of names and addresses from which no answer comes, and after how many seconds."""
    patient = settings().model_copy(update={"fetch_connect_timeout_seconds": 0.5})
    for host in ("nowhere.test", NOWHERE, "silent.test"):
        began = time.monotonic()
        said = fetch_url(f"http://{host}/", settings=patient, store=str(folder / "store"))
        yield host, (said["reason"], time.monotonic() - began)


def _reachable() -> int:
    """How many forbidden addresses would have answered: what the count of calls is worth."""
    answering = 0
    for address in (*FORBIDDEN, "127.0.0.1", "::1"):
        with suppress(OSError), ExitStack() as stack:
            family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
            caller = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            caller.settimeout(1)
            caller.connect((address, 80))
            answering += 1
    return answering


def main() -> None:
    folder = Path(sys.argv[1])
    prepare(folder)
    with NameServer(NAMES, aliases=ALIASES):
        made = report(folder)
    sys.stdout.write(json.dumps(made))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
