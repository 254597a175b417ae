"""The other ways of saving many URLs: what they are called, and how each is told to do the same work.

None of them hashes, syncs or records. Each gets the options under which it is fastest
here, and as many connections as ours. Run as a program this is the pool of threads that a
script with requests would have.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Work:
    """Files to save into a folder: their URLs, how many connections may be open, where notes may be put."""

    urls: list[str]
    connections: int
    out: Path
    notes: Path

    def note(self, name: str, lines: list[str]) -> str:
        """A file of lines for a program that wants one."""
        path = self.notes / name
        path.write_text("\n".join(lines) + "\n")
        return str(path)


def _curl(work: Work) -> list[str]:
    lines = [f'url = "{url}"\noutput = "{work.out / _name(url)}"' for url in work.urls]
    config = work.note("curl.config", lines)
    return ["curl", "-q", "-sSf", "--parallel", "--parallel-max", str(work.connections), "-K", config]


def _aria2c(work: Work) -> list[str]:
    options = ["--no-conf", "--quiet", "-x1", "-s1", "--file-allocation=none", f"-j{work.connections}"]
    return ["aria2c", *options, "-d", str(work.out), "-i", work.note("aria2c.urls", work.urls)]


def _wget2(work: Work) -> list[str]:
    options = ["--no-config", "--quiet", "--no-robots", "--no-directories"]
    options += [f"--max-threads={work.connections}", f"--directory-prefix={work.out}"]
    return ["wget2", *options, f"--input-file={work.note('wget2.urls', work.urls)}"]


def _rclone(work: Work) -> list[str]:
    base = work.urls[0].rpartition("/")[0] + "/"
    names = work.note("rclone.names", [_name(url) for url in work.urls])
    options = ["--config", "", "--http-url", base, "--http-no-head", "--no-traverse", "--retries", "1"]
    options += ["--files-from-raw", names, "--transfers", str(work.connections)]
    return ["rclone", "copy", *options, "--checkers", str(work.connections), ":http:", str(work.out)]


def _requests(work: Work) -> list[str]:
    urls = work.note("requests.urls", work.urls)
    return [
        sys.executable,
        "-m",
        "benchmarks.fetching_peers",
        urls,
        str(work.out),
        str(min(16, work.connections)),
    ]


@dataclass(frozen=True, slots=True)
class Peer:
    """How a peer is started. `many_hosts`: whether one process of it can ask more than one host."""

    command: Callable[[Work], list[str]]
    many_hosts: bool = True


PEERS = {
    "curl": Peer(_curl),
    "wget2": Peer(_wget2),
    "rclone": Peer(_rclone, many_hosts=False),
    "aria2c": Peer(_aria2c),
    "requests": Peer(_requests),
}


def is_installed(name: str) -> bool:
    """Whether this machine has the program; requests comes with Shelter."""
    return name == "requests" or shutil.which(name) is not None


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def save_with_requests(urls: list[str], out: Path, threads: int) -> None:
    """What a careful script does: a session a thread, the body streamed to the disk."""
    import requests

    own = threading.local()

    def save(url: str) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.trust_env = False
        with own.session.get(url, stream=True, timeout=60) as reply:
            reply.raise_for_status()
            with (out / _name(url)).open("wb") as file:
                for chunk in reply.iter_content(_CHUNK_BYTES):
                    file.write(chunk)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(save, urls):
            pass


if __name__ == "__main__":
    save_with_requests(Path(sys.argv[1]).read_text().split(), Path(sys.argv[2]), int(sys.argv[3]))
