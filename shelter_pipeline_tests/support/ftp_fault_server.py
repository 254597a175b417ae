r"""An FTP server on loopback that misbehaves on purpose: every reply can be another than it should be.

    with FtpFaultServer(BODY, replies={"SIZE": b"500 what?\r\n"}) as server:
        downloader(store).fetch(server.url("/pub/a.csv"))
        assert server.said("RETR") == ["a.csv"]

A reply is bytes, or SILENCE, which keeps the connection open without a word, or HANG_UP,
or Endless, or a function of the command's argument that gives one of these. Without another reply it is a
correct server that holds the one body under every name: one with a dot is a file, any other can be entered as
well, but not listed. The data connection plays `data`, with the steps of the HTTP fault
server, and `closing` is what is said after it; `lists` gives what is played for MLSD, LIST
and NLST, and makes them commands that it knows. The log of commands is the oracle.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, Drip, Endless, Pause, Step

HANG_UP = object()
Reply = bytes | object | Callable[[str], bytes | object]

_CORRECT: Mapping[str, Reply] = {
    "USER": b"331 your address, please\r\n",
    "PASS": b"230 welcome\r\n",
    "PWD": b'257 "/" is here\r\n',
    "CWD": lambda path: b"250 changed\r\n" if "." not in path else b"550 Not a directory\r\n",
    "MDTM": b"213 20240102030405\r\n",
    "TYPE": b"200 as you like\r\n",
    "RETR": b"150 here it comes\r\n",
}


class FtpFaultServer:
    def __init__(
        self,
        body: bytes = b"",
        *,
        greeting: Reply = b"220 ready\r\n",
        replies: Mapping[str, Reply] | None = None,
        data: Iterable[Step] | None = None,
        lists: Mapping[str, Iterable[Step]] | None = None,
        closing: Reply = b"226 done\r\n",
        pause_seconds: float = 0,
    ) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._greeting = greeting
        self._lists = {command: list(steps) for command, steps in (lists or {}).items()}
        known = dict.fromkeys(self._lists, b"150 here it comes\r\n")
        features = b" MLST type*;size*;\r\n" if "MLSD" in self._lists else b""
        known["FEAT"] = b"211-this is\r\n" + features + b" UTF8\r\n211 all\r\n"
        known["SIZE"] = b"213 %d\r\n" % len(body)
        self._replies: dict[str, Reply] = {**_CORRECT, **known, **(replies or {})}
        self._data = [body] if data is None else list(data)
        self._closing = closing
        self._pause_seconds = pause_seconds  # before each reply
        self._stopping = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.log: list[tuple[str, str]] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, path: str) -> str:
        return f"ftp://127.0.0.1:{self.port}{path}"

    def said(self, verb: str) -> list[str]:
        """The arguments of every command of this name, in their order."""
        return [argument for name, argument in list(self.log) if name == verb]

    def hang_up(self) -> None:
        """End every connection there is."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(timeout=5)
        for one in self._open:
            one.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                control, _peer = self._listener.accept()
                control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(control)
                self._start(self._serve, control)

    def _serve(self, control: socket.socket) -> None:
        passive: socket.socket | None = None
        with suppress(OSError), control, control.makefile("rb") as lines:
            if not self._say(control, self._greeting):
                return
            for line in lines:
                verb, _, argument = line.decode("latin-1").rstrip("\r\n").partition(" ")
                self.log.append((verb, argument))
                if verb in ("EPSV", "PASV") and verb not in self._replies:
                    passive = self._passive(control, verb)
                    continue
                self._stopping.wait(self._pause_seconds)
                reply = self._replies.get(verb, b"502 not here\r\n")
                if callable(reply):
                    reply = reply(argument)
                going_on = self._say(control, reply)
                if passive is not None and isinstance(reply, bytes) and reply.startswith(b"1"):
                    self._send(passive, self._lists.get(verb, self._data))
                    going_on = self._say(control, self._closing)
                if not going_on:
                    return

    def _passive(self, control: socket.socket, verb: str) -> socket.socket:
        passive = socket.create_server(("127.0.0.1", 0))
        self._open.append(passive)
        port = passive.getsockname()[1]
        if verb == "EPSV":
            control.sendall(f"229 extended (|||{port}|)\r\n".encode())
        else:
            control.sendall(f"227 passive (127,0,0,1,{port >> 8},{port & 255})\r\n".encode())
        return passive

    def _say(self, control: socket.socket, reply: Reply) -> bool:
        """Whether the dialogue goes on."""
        if reply is SILENCE:
            self._stopping.wait(60)
            return False
        if reply is HANG_UP:
            return False
        if isinstance(reply, Endless):
            while not self._stopping.is_set():
                control.sendall(reply.data)
        if isinstance(reply, bytes):
            control.sendall(reply)
        return True

    def _send(self, passive: socket.socket, steps: Iterable[Step]) -> None:
        passive.settimeout(5)
        with passive, passive.accept()[0] as data, suppress(OSError):
            for step in steps:
                if step is RESET:
                    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                else:
                    self._play(data, step)

    def _play(self, data: socket.socket, step: Step) -> None:
        if isinstance(step, bytes):
            data.sendall(step)
        elif isinstance(step, Pause):
            self._stopping.wait(step.seconds)
        elif step is SILENCE:
            self._stopping.wait(60)
        elif isinstance(step, Drip):
            for one in step.data:
                data.sendall(bytes([one]))
                self._stopping.wait(step.seconds)
        elif isinstance(step, Endless):
            while not self._stopping.is_set():
                data.sendall(step.data)
