"""Real web servers on loopback over a tree of files: nginx, Apache httpd and lighttpd, each an ordinary process.

They are used where they are installed (Debian: nginx-light, apache2-bin, lighttpd); a test
that asks for one that is not there is skipped, and says so.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.ports import free_ports

_START_SECONDS = 20.0
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_APACHE_MODULES = (Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules"))
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Kind:
    """A way to run a server: its program, its package, and what starts it in a folder on a port over a tree."""

    program: str
    package: str
    command: Callable[[Path, int, Path], list[str]]


def _nginx(style: str) -> Callable[[Path, int, Path], list[str]]:
    def command(folder: Path, port: int, tree: Path) -> list[str]:
        config = folder / "nginx.conf"
        config.write_text(
            "\n".join(
                (
                    "user root;" if os.geteuid() == 0 else "",
                    f"daemon off; worker_processes 1; pid {folder}/pid; events {{ }}",
                    "http { access_log off; default_type application/octet-stream;",
                    *(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY),
                    f"server {{ listen 127.0.0.1:{port}; root {tree}; autoindex on; {style} }} }}",
                )
            )
        )
        return ["-p", str(folder), "-e", str(folder / "log"), "-c", str(config)]

    return command


def _apache(style: str) -> Callable[[Path, int, Path], list[str]]:
    def command(folder: Path, port: int, tree: Path) -> list[str]:
        modules = next((path for path in _APACHE_MODULES if path.is_dir()), _APACHE_MODULES[0])
        config = folder / "apache.conf"
        config.write_text(
            "\n".join(
                (
                    f"ServerRoot {folder}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}",
                    *(
                        f"LoadModule {name}_module {modules}/mod_{name}.so"
                        for name in ("mpm_event", "authz_core", "dir", "autoindex")
                    ),
                    "User nobody\nGroup nogroup" if os.geteuid() == 0 else "",
                    f"PidFile {folder}/pid\nErrorLog {folder}/log\nMutex pthread\nServerSignature On",
                    f"DocumentRoot {tree}\n<Directory {tree}>",
                    f"Options +Indexes +FollowSymLinks\nRequire all granted\n{style}\n</Directory>",
                )
            )
        )
        return ["-f", str(config), "-D", "FOREGROUND"]

    return command


def _lighttpd(folder: Path, port: int, tree: Path) -> list[str]:
    config = folder / "lighttpd.conf"
    config.write_text(
        f'server.document-root = "{tree}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        f'server.errorlog = "{folder}/log"\nserver.modules = ("mod_dirlisting")\n'
        'dir-listing.activate = "enable"\ndir-listing.encoding = "utf-8"\n'
        'mimetype.assign = ("" => "application/octet-stream")\n'
    )
    return ["-D", "-f", str(config)]


KINDS = {
    "nginx html": Kind("nginx", "nginx-light", _nginx("")),
    "nginx html, rounded": Kind("nginx", "nginx-light", _nginx("autoindex_exact_size off;")),
    "nginx json": Kind("nginx", "nginx-light", _nginx("autoindex_format json;")),
    "nginx xml": Kind("nginx", "nginx-light", _nginx("autoindex_format xml;")),
    "apache plain": Kind("apache2", "apache2-bin", _apache("")),
    "apache fancy": Kind("apache2", "apache2-bin", _apache("IndexOptions FancyIndexing")),
    "apache table": Kind("apache2", "apache2-bin", _apache("IndexOptions FancyIndexing HTMLTable")),
    "lighttpd": Kind("lighttpd", "lighttpd", _lighttpd),
}


@contextmanager
def serving(kind: Kind, folder: Path, tree: Path) -> Iterator[str]:
    """A server over the tree for the length of the block; gives the URL of its root. Skips where it is missing."""
    program = shutil.which(kind.program, path=f"{os.environ.get('PATH', '')}:{_PLACES}")
    if program is None:
        pytest.skip(f"{kind.program} is not installed (Debian: {kind.package})")
    (port,) = free_ports(1)
    with (folder / "words").open("wb") as words:
        process = subprocess.Popen(
            [program, *kind.command(folder, port, tree)], stdout=words, stderr=words, cwd=folder
        )
        try:
            _await(process, port, folder)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    said = "".join(
        (folder / name).read_text(errors="replace")[-2000:]
        for name in ("words", "log")
        if (folder / name).is_file()
    )
    raise RuntimeError(f"{process.args!r} did not come up: {said}")
