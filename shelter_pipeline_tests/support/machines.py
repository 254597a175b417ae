"""Machines of a fleet on one machine: network namespaces behind one bridge, with an internet of names on it.

    with machines(folder, ["worker-1", "worker-2"], hosts=names) as found, found.inside():
        Topology(..., network=found.services, wrap=found.wrap)
        found.cut("worker-2")
        found.join("worker-2")

Services and web servers listen in a namespace of their own, the hub: on every address of `10.77.0.0/24`, and on
every one of a public-looking network, so that the guard of addresses is as it is in production. The thread that
is `inside`, and what it starts there, lives in the hub. Each machine is a namespace behind a cable that can be
pulled. All of it is gone when the last process of it is.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.name_server import NameServer

SERVICES, PUBLIC = "10.77.0", "93.184"
_CLONE_NEWNET = 0x40000000
_HUB = "10.77.255.1"
# Our name server, for this process alone; then its own program takes its place.
_WITH_NAMES = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


class Machines:
    """Namespaces by name; `wrap` puts a process into its one."""

    def __init__(self, hub: int, holders: Mapping[str, int], resolver: Path) -> None:
        self.services = SERVICES
        self._hub = hub
        self._holders = holders
        self._resolver = resolver

    @property
    def wrap(self) -> dict[str, tuple[str, ...]]:
        """What to put before a command for it to run on a machine, by the machine's name."""
        return {name: (*_enter(holder), *self.with_names) for name, holder in self._holders.items()}

    @property
    def with_names(self) -> tuple[str, ...]:
        """What to put before a command for it to know the names of the web, wherever it runs."""
        return ("unshare", "--mount", "sh", "-c", _WITH_NAMES, str(self._resolver))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread is in the hub for the length of the block."""
        with _in_namespace(self._hub):
            yield

    def address(self, name: str) -> str:
        """The machine's own address, from which it asks the world."""
        return f"10.77.100.{_number(self._holders, name)}"

    def cut(self, name: str) -> None:
        """Pull the machine's cable: nothing arrives any more, and nobody is told."""
        _ip("link", "set", f"machine{_number(self._holders, name)}", "down")

    def join(self, name: str) -> None:
        """Put the cable back."""
        _ip("link", "set", f"machine{_number(self._holders, name)}", "up")


def public_names(hosts: Sequence[str]) -> dict[str, str]:
    """A public-looking address of its own for each name."""
    return {name: f"{PUBLIC}.{number // 250 + 1}.{number % 250 + 1}" for number, name in enumerate(hosts)}


def namespaces_forbidden() -> str | None:
    """Why no namespaces can be made here; None if they can."""
    for program in ("unshare", "nsenter", "ip", "mount"):
        if shutil.which(program) is None:
            return f"{program} is missing"
    tried = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "sh",
            "-c",
            "ip link add name b type bridge && mount -t tmpfs none /mnt",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip() or "not allowed" if tried.returncode else None


@contextmanager
def machines(folder: Path, names: Sequence[str], hosts: Sequence[str]) -> Iterator[Machines]:
    """The hub and its machines for the length of the block; `hosts` are the names of the web.

    The test is skipped where nobody lets us make namespaces.
    """
    reason = namespaces_forbidden()
    if reason is not None:
        pytest.skip(f"SEVERAL MACHINES WERE NOT TESTED, no namespaces can be made: {reason}")
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {_HUB}\n", encoding="ascii")
    known = {name: [address] for name, address in public_names(hosts).items()}
    with ExitStack() as ended:
        hub, *holders = (ended.enter_context(_holder()) for _ in range(1 + len(names)))
        opened = os.open(f"/proc/{hub}/ns/net", os.O_RDONLY)
        ended.callback(os.close, opened)
        with _in_namespace(opened):
            _make_hub()
            for number, holder in enumerate(holders, 1):
                _connect(number, holder)
            ended.enter_context(NameServer(known, address=_HUB))
        yield Machines(opened, dict(zip(names, holders, strict=True)), resolver)


@contextmanager
def _in_namespace(opened: int) -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _checked(libc.setns(opened, _CLONE_NEWNET))
        yield
    finally:
        _checked(libc.setns(home, _CLONE_NEWNET))
        os.close(home)


def _make_hub() -> None:
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "name", "fleet", "type", "bridge")
    _ip("addr", "add", f"{_HUB}/16", "dev", "fleet")
    _ip("link", "set", "fleet", "up")
    for network in (f"{SERVICES}.0/24", f"{PUBLIC}.0.0/16"):
        _ip("route", "add", "local", network, "dev", "lo")


@contextmanager
def _holder() -> Iterator[int]:
    """A process that keeps a namespace until the block ends, or we do."""
    with subprocess.Popen(
        ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        process.stdout.read(1)  # it is in its namespace now
        try:
            yield process.pid
        finally:
            process.kill()


def _connect(number: int, holder: int) -> None:
    near = f"machine{number}"
    _ip("link", "add", near, "type", "veth", "peer", "name", "up0", "netns", str(holder))
    _ip("link", "set", near, "master", "fleet")
    _ip("link", "set", near, "up")
    for arguments in (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"10.77.100.{number}/16", "dev", "up0"),
        ("link", "set", "up0", "up"),
        ("route", "add", "default", "via", _HUB),
    ):
        subprocess.run([*_enter(holder), "ip", *arguments], check=True, capture_output=True)


def _enter(holder: int) -> tuple[str, ...]:
    return ("nsenter", f"--net=/proc/{holder}/ns/net")


def _number(holders: Mapping[str, int], name: str) -> int:
    return list(holders).index(name) + 1


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
