"""A correct FTP server over a folder, on loopback: pyftpdlib's, in a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


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
