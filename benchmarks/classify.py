"""What classification costs: `python -m benchmarks.classify`, with no request and no database.

Resources are made from the URLs, formats and media types of the real records in
`$SHELTER_FIXTURES`: each is one of them with other numbers in it, by a seed, so that none
comes twice. Where the real records are not, shapes of our own take their place. Each
contestant is a process of its own and reads the same file; the clock runs only while it
decides.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.measuring import machine, run_program
from benchmarks.report import table

RESOURCES = 500_000
GOAL_SECONDS = 20.0
_SEED = 5
_GROUP = 10_000
_DIGITS = re.compile(r"\d")
Resource = tuple[str, str | None, str | None]
_SHAPES: tuple[Resource, ...] = (
    ("https://data.example.gov/api/views/a1b2-c3d4/rows.csv?accessType=DOWNLOAD", None, "text/csv"),
    ("https://data.example.gov/d/a1b2-c3d4", None, None),
    ("https://gis.example.gov/arcgis/rest/services/Roads1/MapServer/0", "Esri REST", None),
    ("https://www.example.gov/programs/2019/report-17.html", None, "text/html"),
    ("https://www.example.gov/files/2019/Table%2017.xlsx", "Excel", "application/vnd.ms-excel"),
    ("https://ftp.example.gov/pub/data/2019/", None, None),
    ("https://doi.org/10.5066/P9ABC123", None, None),
    ("https://example.org/export?id=123&format=csv", "CSV", None),
    ("https://archive.example.gov/geo/TIGER2013/COUNTY/tl_2013_us_county.zip", None, "application/zip"),
    ("https://maps.example.gov/geoserver/wms?service=WMS&request=GetCapabilities", "WMS", None),
)


def real_resources(folder: Path) -> list[Resource]:
    """URL, format and media type of all that looks like a distribution or a resource in the real records."""
    found: dict[Resource, None] = {}
    for path in sorted(folder.rglob("*.json*")):
        try:
            document = json.loads(path.read_bytes())
        except ValueError:  # lines of JSON, or no JSON
            continue
        for item in _objects(document):
            texts = [item.get(name) for name in ("format", "mediaType", "mimetype")]
            named, media_type, mime = (text if isinstance(text, str) else None for text in texts)
            for name in ("downloadURL", "accessURL", "landingPage", "url"):
                if isinstance(url := item.get(name), str) and url:
                    found[url, named, media_type or mime] = None
    return list(found)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def made_of(templates: list[Resource], count: int) -> Iterator[Resource]:
    """So many resources, each a template with other digits; a host in four is one that is new."""
    dice = random.Random(_SEED)
    for number in range(count):
        url, named, media_type = templates[number % len(templates)]
        head, slashes, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        path = _DIGITS.sub(lambda _: str(dice.randrange(10)), path)
        if dice.random() < 0.25:
            host = f"s{dice.randrange(20_000)}.{host}"
        yield f"{head}{slashes}{host}{slash}{path}", named, media_type


def _ours() -> Callable[[Resource], str]:
    from shelter_pipeline.discovery.classification_table import classification_rules
    from shelter_pipeline.discovery.classify import classify

    rules = classification_rules()
    return lambda one: classify(one[0], format=one[1], media_type=one[2], rules=rules).kind.value


def _mimetypes() -> Callable[[Resource], str]:
    """The least that anybody does: take the URL apart, and guess by its extension."""

    def decide(one: Resource) -> str:
        try:
            return mimetypes.guess_type(urlsplit(one[0]).path)[0] or "unknown"
        except ValueError:
            return "invalid"

    return decide


CONTESTANTS = {"ours": _ours, "urlsplit + mimetypes": _mimetypes}


def contest(name: str, path: Path) -> dict[str, Any]:
    """What one contestant takes for the file, in this process."""
    decide = CONTESTANTS[name]()
    counts: Counter[str] = Counter()
    wall = cpu = 0.0
    with path.open(encoding="utf-8") as lines:
        while group := [tuple(json.loads(line)) for line in islice(lines, _GROUP)]:
            began, used = time.perf_counter(), time.process_time()
            decided = [decide(one) for one in group]
            wall += time.perf_counter() - began
            cpu += time.process_time() - used
            counts.update(decided)
    return {"contestant": name, "wall": wall, "cpu": cpu, "kinds": dict(counts.most_common())}


def show(costs: list[dict[str, Any]], count: int) -> None:
    """The table, what ours decided, and the goal."""
    baseline = costs[-1]["cpu"]
    head = (
        "contestant",
        "resources",
        "wall s",
        "CPU s",
        "µs each",
        "resources/s",
        "CPU / baseline",
        "peak RSS MB",
    )
    body = [
        (
            cost["contestant"],
            f"{count:,}",
            f"{cost['wall']:.2f}",
            f"{cost['cpu']:.2f}",
            f"{cost['cpu'] / count * 1e6:.1f}",
            f"{count / cost['wall']:,.0f}",
            f"{cost['cpu'] / baseline:.2f}",
            f"{cost['peak'] / 1e6:.0f}",
        )
        for cost in costs
    ]
    print("\n".join(table(head, body)))
    print()
    print(", ".join(f"{kind} {number:,}" for kind, number in costs[0]["kinds"].items()))
    allowed = GOAL_SECONDS * count / RESOURCES
    slower = max(costs[0]["cpu"], costs[0]["wall"])
    met = "met" if slower < allowed else "not met"
    print(f"{count:,} resources on one core below {allowed:g} s: {slower:.2f} s, {met}")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=RESOURCES)
    parser.add_argument("--json", type=Path, help="file for all numbers")
    parser.add_argument("--contest", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.contest:
        print(json.dumps(contest(chosen.contest[0], Path(chosen.contest[1]))))
        return
    fixtures = Path(os.environ.get("SHELTER_FIXTURES", "../shared/fixtures"))
    templates = real_resources(fixtures) or list(_SHAPES)
    known = (
        "real records"
        if len(templates) > len(_SHAPES)
        else "shapes of our own, for there are no real records"
    )
    print(f"from {len(templates):,} {known}; {json.dumps(machine('none'))}\n")
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resources.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in made_of(templates, chosen.resources))
        for name in CONTESTANTS:
            command = [sys.executable, "-m", "benchmarks.classify", "--contest", name, str(path)]
            ran = run_program(command, os.environ)
            costs.append(json.loads(ran.output) | {"peak": ran.peak_bytes})
    show(costs, chosen.resources)
    if chosen.json:
        chosen.json.write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
