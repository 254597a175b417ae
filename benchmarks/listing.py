"""How fast a directory of 100,000 entries is listed, beside other readers of the same pages.

    python -m benchmarks.listing                       # 100,000 entries of each kind
    python -m benchmarks.listing --entries 5000        # a look

Pages are made as their servers write them and put on disk. Every contestant reads them in a
process of its own, and must find every entry. CPU seconds are of the work alone, without
the start of the process (rclone's are of all of it: it has no other), memory is the peak.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urljoin

from benchmarks.measuring import run_program

OURS = "ours"
GOAL_SECONDS, GOAL_BYTES = 10.0, 300 * 2**20
_S3_PARTS = 100
_BASE = "https://files.example.gov/pub/data/"
_HEAD = "<html><head><title>Index of /pub/data</title></head><body><h1>Index of /pub/data</h1>"
_SORT = '<a href="?C=N;O=D">Name</a> <a href="?C=M;O=A">Last modified</a> <a href="?C=S;O=A">Size</a>'


def _fancy(numbers: range) -> str:
    rows = (
        f'<img src="/icons/unknown.gif" alt="[   ]"> <a href="levels_{n:06d}.nc">levels_{n:06d}.nc</a>'
        f"        2024-{n % 12 + 1:02d}-{n % 28 + 1:02d} {n % 24:02d}:{n % 60:02d}  {n % 999}K  \n"
        for n in numbers
    )
    return f'{_HEAD}<pre>{_SORT}<hr><a href="/pub/">Parent Directory</a>  -\n{"".join(rows)}<hr></pre></body></html>'


def _table(numbers: range) -> str:
    rows = (
        '<tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td>'
        f'<td><a href="levels_{n:06d}.nc">levels_{n:06d}.nc</a></td><td align="right">'
        f'2024-{n % 12 + 1:02d}-{n % 28 + 1:02d} {n % 24:02d}:{n % 60:02d}  </td><td align="right">{n % 999}K</td>'
        "<td>&nbsp;</td></tr>\n"
        for n in numbers
    )
    top = f'<tr><th>{_SORT}</th></tr><tr><td><a href="/pub/">Parent Directory</a></td><td>&nbsp;</td></tr>'
    return f"{_HEAD}<table>{top}{''.join(rows)}</table></body></html>"


def _nginx(numbers: range) -> str:
    rows = (
        f'<a href="levels_{n:06d}.nc">levels_{n:06d}.nc</a>{" " * 35}'
        f"{n % 28 + 1:02d}-Mar-2024 {n % 24:02d}:{n % 60:02d} {n * 977:19d}\n"
        for n in numbers
    )
    return f'{_HEAD}<hr><pre><a href="../">../</a>\n{"".join(rows)}</pre><hr></body></html>'


def _s3(numbers: range) -> str:
    rows = (
        f"<Contents><Key>pub/data/levels_{n:06d}.nc</Key><LastModified>2024-03-{n % 28 + 1:02d}T03:04:05.000Z"
        f"</LastModified><ETag>&quot;9e107d9d372bb6826bd81d3542a419d6&quot;</ETag><Size>{n * 977}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for n in numbers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>data</Name><IsTruncated>false</IsTruncated>{''.join(rows)}</ListBucketResult>"
    )


def _thredds(numbers: range) -> str:
    rows = (
        f'<dataset name="levels_{n:06d}.nc" ID="levels/{n}" urlPath="levels/levels_{n:06d}.nc">'
        f'<dataSize units="Mbytes">{n % 999 + 0.5}</dataSize>'
        f'<date type="modified">2024-03-{n % 28 + 1:02d}T03:04:05Z</date></dataset>\n'
        for n in numbers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<catalog xmlns="http://www.unidata.ucar.edu/namespaces/thredds/InvCatalog/v1.0" version="1.0.1">'
        '<service name="files" serviceType="HTTPServer" base="/thredds/fileServer/" /><dataset name="Levels">'
        f'<metadata inherited="true"><serviceName>files</serviceName></metadata>{"".join(rows)}</dataset></catalog>'
    )


@dataclass(frozen=True)
class Kind:
    """One kind of listing: what writes a page of it, and how many pages hold all entries."""

    page: Callable[[range], str]
    parts: int = 1
    is_xml: bool = False


KINDS = {
    "apache fancy": Kind(_fancy),
    "apache table": Kind(_table),
    "nginx": Kind(_nginx),
    "s3": Kind(_s3, _S3_PARTS, is_xml=True),
    "thredds": Kind(_thredds, is_xml=True),
}


class _Reply:
    """A reply as the door gives one."""

    def __init__(self, body: bytes) -> None:
        self.body, self.final_url, self.head = body, _BASE, Message()
        self.head["content-type"] = "text/html"


def _ours(page: bytes, *, is_xml: bool) -> int:
    from shelter_pipeline.discovery.listings import read_listing
    from shelter_pipeline.domain.urls import parse_url

    del is_xml  # it tells itself
    reading: Any = read_listing(_Reply(page), parse_url(_BASE))  # type: ignore[arg-type]
    return sum(lead.size is not None for lead in reading.leads)


def _lxml(page: bytes, *, is_xml: bool) -> int:
    import lxml.etree
    import lxml.html

    if is_xml:
        root = lxml.etree.fromstring(page)
        keys = [urljoin(_BASE, key.text) for key in root.iterfind(".//{*}Key")]
        return len(keys or [urljoin(_BASE, path) for path in root.xpath("//@urlPath")])
    links = lxml.html.document_fromstring(page, base_url=_BASE).iterlinks()
    return sum(urljoin(_BASE, link).endswith(".nc") for element, _, link, _ in links if element.tag == "a")


def _parsel(page: bytes, *, is_xml: bool) -> int:
    from parsel import Selector

    if is_xml:
        document = Selector(text=page.decode(), type="xml")
        document.remove_namespaces()
        return len([urljoin(_BASE, key) for key in document.xpath("//Key/text() | //@urlPath").getall()])
    links = Selector(text=page.decode()).css("a::attr(href)").getall()
    return sum(urljoin(_BASE, link).endswith(".nc") for link in links)


READERS = {OURS: _ours, "lxml": _lxml, "parsel": _parsel}


def contend(reader: str, folder: Path, *, is_xml: bool) -> None:
    """Be one contestant: read all pages of a folder and print what was found in how many CPU seconds."""
    read = READERS[reader]
    found = read(b"<html><title>Index of /</title>", is_xml=False)  # what is imported is no part of it
    begun = time.process_time()
    found = sum(read(path.read_bytes(), is_xml=is_xml) for path in sorted(folder.iterdir()))
    print(json.dumps({"found": found, "seconds": time.process_time() - begun}))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the output is the table."""


def _rclone(folder: Path) -> dict[str, Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    command = ["rclone", "lsf", "--http-no-head", "--config", os.devnull, "--http-url", url, ":http:"]
    try:
        ran = run_program([shutil.which("rclone") or "rclone", *command[1:]], os.environ)
    finally:
        server.shutdown()
        server.server_close()
    return {"found": ran.output.count(".nc"), "seconds": ran.cost.client, "peak_bytes": ran.peak_bytes}


def _run(reader: str, folder: Path, *, is_xml: bool) -> dict[str, Any]:
    if reader == "rclone":
        return _rclone(folder)
    command = [sys.executable, "-m", "benchmarks.listing", "--contend", reader, "--folder", str(folder)]
    ran = run_program([*command, *(["--xml"] if is_xml else [])], os.environ)
    return json.loads(ran.output) | {"peak_bytes": ran.peak_bytes}


def measure(entries: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Every kind, read by every contestant. rclone reads pages for people alone, and gets no sizes out of them."""
    runs: dict[str, dict[str, Any]] = {}
    for name, kind in KINDS.items():
        pages = folder / name.replace(" ", "-")
        pages.mkdir()
        step = -(-entries // kind.parts)
        for part, first in enumerate(range(1, entries + 1, step)):
            text = kind.page(range(first, min(first + step, entries + 1)))
            (pages / ("index.html" if kind.parts == 1 else f"{part:04d}")).write_text(text)
        rclone = ["rclone"] if shutil.which("rclone") and not kind.is_xml else []
        runs[name] = {one: _run(one, pages, is_xml=kind.is_xml) for one in [*READERS, *rclone]}
    return runs


def report(runs: dict[str, dict[str, Any]], entries: int) -> None:
    """Print a table with ratios, and whether the goals are met."""
    print(f"{'listing':<14}{'contestant':<12}{'entries':>9}{'CPU s':>8}{'to ours':>9}{'peak MB':>9}")
    for name, contestants in runs.items():
        ours = contestants[OURS]["seconds"]
        for one, run in contestants.items():
            print(
                f"{name:<14}{one:<12}{run['found']:>9}{run['seconds']:>8.2f}{run['seconds'] / ours:>9.2f}"
                f"{run['peak_bytes'] / 2**20:>9.0f}"
            )
    for name, contestants in runs.items():
        run = contestants[OURS]
        is_met = run["seconds"] < GOAL_SECONDS and run["peak_bytes"] < GOAL_BYTES and run["found"] == entries
        print(f"{'met' if is_met else 'NOT met'}: {name}, all entries in less than 10 s and 300 MB")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="keep every number in this file")
    parser.add_argument("--contend", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--xml", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.contend:
        contend(chosen.contend, chosen.folder, is_xml=chosen.xml)
        return
    with tempfile.TemporaryDirectory(prefix="shelter-bench-") as folder:
        runs = measure(chosen.entries, Path(folder))
    report(runs, chosen.entries)
    if chosen.json:
        chosen.json.write_text(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
