"""Correct FTP servers over a folder, on loopback: pyftpdlib's, in a thread, and the machine's vsftpd."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

from shelter_pipeline_tests.support.ports import free_ports

VSFTPD = Path("/usr/sbin/vsftpd")


class LocalFtp:
    """The server's address, and how many logins it has seen."""

    def __init__(self) -> None:
        self.address = ""
        self.logins = 0

    def url(self, path: str) -> str:
        return f"ftp://{self.address}{path}"


@contextmanager
def ftp_server(root: Path, *, without: Collection[str] = ()) -> Iterator[LocalFtp]:
    """Everybody may read what is in `root`, for the length of the block, but `without` these commands."""
    logging.getLogger("pyftpdlib").setLevel(logging.ERROR)
    local = LocalFtp()

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        proto_cmds = {name: how for name, how in FTPHandler.proto_cmds.items() if name not in without}  # noqa: RUF012
        use_gmt_times = True

        def on_login(self, _username: str) -> None:
            local.logins += 1

    Handler.authorizer.add_anonymous(str(root))
    server = FTPServer(("127.0.0.1", 0), Handler)
    local.address = "{}:{}".format(*server.address)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.serve_forever(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield local
    finally:
        stopping.set()
        thread.join(timeout=5)


@contextmanager
def vsftpd_server(root: Path, place: Path) -> Iterator[LocalFtp]:
    """As `ftp_server`, by the vsftpd of the machine; its files are made in the folder `place`."""
    (port,) = free_ports(1)
    (place / "empty").mkdir(parents=True)
    settings = place / "vsftpd.conf"
    settings.write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n"
        "anonymous_enable=YES\nlocal_enable=NO\nrun_as_launching_user=YES\nseccomp_sandbox=NO\n"
        f"ftp_username=nobody\nanon_root={root}\nsecure_chroot_dir={place / 'empty'}\n"
    )
    local = LocalFtp()
    local.address = f"127.0.0.1:{port}"
    server = subprocess.Popen([str(VSFTPD), str(settings)], stdin=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(port, server)
        yield local
    finally:
        server.terminate()
        server.wait(timeout=5)


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"vsftpd does not answer (exit code {server.poll()})")
