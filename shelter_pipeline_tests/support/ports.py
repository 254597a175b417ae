"""Free ports on the loopback, for processes that must be told theirs."""

from __future__ import annotations

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on now."""
    with ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def free_port_row(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        (first,) = free_ports(1)
        try:
            with ExitStack() as opened:
                for number in range(first, first + count):
                    opened.enter_context(socket.socket()).bind(("127.0.0.1", number))
        except (OSError, OverflowError):
            continue
        return first
