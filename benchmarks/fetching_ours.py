"""Our contestants, each in a process of its own: a whole batch with its catalog, and the downloads alone.

`prepare` harvests, discovers and plans a set as for any portal, outside the clock. `batch`
is what a worker does: claim, fetch, hash, sync, record, manifest. `engine` is the same
downloads into the same store without a database. Settings come from the environment, as
for every command; the last line on standard output is the result.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Downloader, Promise
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline.vault.local import LocalStore

Result = dict[str, Any]
_SHOWN_LINES = 45


def prepare(arguments: argparse.Namespace) -> Result:
    """Fill an empty catalog up to the planned batches; returns their keys."""
    with open_workplace(load_settings()) as workplace:
        slug = add_portal(workplace, f"dcat_us:{arguments.portal}").slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        planned = plan_organization(workplace, arguments.organization, urgent=False)
    return {"keys": planned["new"], "files": planned["files"]}


def batch(arguments: argparse.Namespace) -> Result:
    """Rescue planned batches, one after another."""
    reasons: Counter[str] = Counter()
    with open_workplace(load_settings(), migrated=False) as workplace:
        started = _used()
        for key in arguments.keys:
            reasons += rescue_batch(workplace, key, run_id=f"benchmark-{key}").reasons
    return {"reasons": dict(reasons), "start": started}


def engine(arguments: argparse.Namespace) -> Result:
    """Fetch a list of URLs into the store, with everything a capture needs and without a catalog."""
    settings = load_settings()
    store = LocalStore(settings.store_path)
    urls = arguments.urls.read_text().split()
    started = _used()
    reasons: Counter[str] = Counter()
    with (
        Politeness.of(settings) as politeness,
        Engine(
            downloader(settings, store), store, politeness, connections=settings.fetch_connections
        ) as running,
    ):
        for url in urls:
            running.fetch(url, url, Promise())
        while running.pending:
            reasons.update(capture.reason for _, capture in running.results(1.0))
    return {"reasons": dict(reasons), "start": started}


def downloader(settings: Settings, store: LocalStore) -> Downloader:
    """What fetches as a batch does."""
    return Downloader(
        Door.of(settings),
        store,
        max_attempts=settings.fetch_max_attempts,
        retry_delay_seconds=settings.fetch_retry_delay_seconds,
    )


def _used() -> dict[str, float]:
    """What it took to get here: seconds of CPU, and of the clock since the process began."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.clock_gettime(time.CLOCK_BOOTTIME) - began,
    }


@contextmanager
def profiled() -> Iterator[None]:
    """Profile the block and every thread that begins within it, in CPU seconds, and print what took most."""
    profiles = [cProfile.Profile(time.thread_time)]

    def begin(_frame: FrameType, _event: str, _argument: object) -> None:
        # Called once a thread, at its first call: from then on the profile has its place.
        sys.setprofile(None)
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    threading.setprofile(begin)
    profiles[0].enable()
    try:
        yield
    finally:
        profiles[0].disable()
        threading.setprofile(None)
        total = pstats.Stats(profiles[0], stream=sys.stdout)
        for profile in profiles[1:]:
            total.add(profile)
        total.sort_stats("tottime").print_stats(_SHOWN_LINES)


def main() -> None:
    """Do one part, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(required=True)
    for known in (prepare, batch, engine):
        one = parts.add_parser(known.__name__)
        one.set_defaults(part=known)
        one.add_argument("--profile", action="store_true")
        if known is prepare:
            one.add_argument("--portal", required=True)
            one.add_argument("--organization", required=True)
        elif known is batch:
            one.add_argument("keys", nargs="+")
        else:
            one.add_argument("urls", type=Path)
    arguments = parser.parse_args()
    part: Callable[[argparse.Namespace], Result] = arguments.part
    if arguments.profile:
        with profiled():
            result = part(arguments)
    else:
        result = part(arguments)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
