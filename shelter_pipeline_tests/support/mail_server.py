"""A real mail server on loopback, small enough to be read: EHLO, STARTTLS, AUTH PLAIN, and letters that are kept."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from io import BytesIO
from typing import cast


@dataclass
class MailServer:
    """What it wants of its callers, and what they brought."""

    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refused: frozenset[str] = frozenset()
    trickles: bool = False
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    logins_in_the_clear: int = 0


class _Session(socketserver.StreamRequestHandler):
    @property
    def mail(self) -> MailServer:
        return cast("_Server", self.server).mail

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self) -> None:
        if self.mail.trickles:
            self.trickle()
            return
        self.secure = False
        self.say("220 ready")
        while line := self.rfile.readline():
            word, _, rest = line.decode().strip().partition(" ")
            answer = getattr(self, f"on_{word.lower()}", None)
            if answer is None:
                self.say("502 no")
            elif answer(rest) == "end":
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def trickle(self) -> None:
        try:
            while True:
                self.wfile.write(b"2")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return

    def on_ehlo(self, _rest: str) -> None:
        offers = ["STARTTLS"] if self.mail.tls and not self.secure else []
        offers += ["AUTH PLAIN"] if self.mail.login else []
        for offer in ("loopback", *offers):
            self.say(f"250-{offer}")
        self.say("250 SIZE 1000000")

    def on_starttls(self, _rest: str) -> None:
        assert self.mail.tls is not None
        self.say("220 go on")
        try:
            self.connection = self.mail.tls.wrap_socket(self.connection, server_side=True)
        except OSError:  # the caller does not trust us
            self.rfile, self.wfile = BytesIO(), BytesIO()  # type: ignore[assignment]
            return
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")  # type: ignore[assignment]
        self.secure = True

    def on_auth(self, rest: str) -> None:
        self.mail.logins_in_the_clear += not self.secure
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.say("235 welcome" if (user, password) == self.mail.login else "535 no")

    def on_mail(self, _rest: str) -> None:
        self.say("250 ok")

    def on_rcpt(self, rest: str) -> None:
        self.say("550 nobody" if rest.partition("<")[2].rstrip(">") in self.mail.refused else "250 ok")

    def on_rset(self, _rest: str) -> None:
        self.say("250 ok")

    def on_data(self, _rest: str) -> None:
        self.say("354 speak")
        body = b""
        while (line := self.rfile.readline()) != b".\r\n":
            body += line.removeprefix(b".") if line.startswith(b"..") else line
        self.mail.letters.append(cast("EmailMessage", BytesParser(policy=default).parsebytes(body)))
        self.say("250 kept")

    def on_quit(self, _rest: str) -> str:
        self.say("221 bye")
        return "end"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    mail: MailServer


@contextmanager
def serving_mail(mail: MailServer) -> Iterator[MailServer]:
    """The server for the length of a block."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mail, mail.port = mail, int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield mail
        finally:
            server.shutdown()
