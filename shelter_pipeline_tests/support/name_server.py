"""A name server of forty lines, for names that lead where a test wants them to, and elsewhere the next time."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from types import TracebackType
from typing import Self

Addresses = Sequence[str]
# The addresses of a name, or what gives them for the n-th question; None is no answer at all.
Answer = Addresses | None | Callable[[int], Addresses]
_A, _CNAME, _AAAA = 1, 5, 28


class NameServer:
    """Answers A and AAAA questions over UDP; a name that it does not know has no address. TTL is always 0."""

    def __init__(
        self,
        names: Mapping[str, Answer],
        *,
        aliases: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._address = address
        self._names = names
        self._aliases = aliases or {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.asked: Counter[tuple[str, int]] = Counter()

    def __enter__(self) -> Self:
        self._socket.bind((self._address, 53))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                question, peer = self._socket.recvfrom(4096)
                if not question:  # it was shut down
                    return
                reply = self._reply(question)
                if reply is not None:
                    self._socket.sendto(reply, peer)

    def _reply(self, question: bytes) -> bytes | None:
        name, end = _name_in(question)
        (kind,) = struct.unpack_from("!H", question, end)
        alias = self._aliases.get(name)
        answer = self._names.get(alias or name, ())
        if answer is None:
            return None
        self.asked[name, kind] += 1
        addresses = answer(self.asked[name, kind]) if callable(answer) else answer
        records = [_record(b"\xc0\x0c", _CNAME, _written(alias))] if alias else []
        owner = _written(alias) if alias else b"\xc0\x0c"
        records += [
            _record(owner, kind, address.packed)
            for address in map(ip_address, addresses)
            if kind == (_A if address.version == 4 else _AAAA)
        ]
        header = question[:2] + struct.pack("!5H", 0x8580, 1, len(records), 0, 0)
        return header + question[12 : end + 4] + b"".join(records)


def _name_in(question: bytes) -> tuple[str, int]:
    """The name that is asked for, in lower case, and where it ends."""
    labels, at = [], 12
    while (length := question[at]) != 0:
        labels.append(question[at + 1 : at + 1 + length].decode("ascii", "replace").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _written(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack("!2HIH", kind, 1, 0, len(data)) + data
