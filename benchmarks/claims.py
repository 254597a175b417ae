"""Handing out two million files to 32 clients at once, ten at a time, and keeping the leases of a thousand nodes.

Each client asks for ten files, again and again, through the functions that the API calls;
they share out among four processes, each with a few connections, as processes of the API do.
How many files a second can be had is measured with all of them asking without a pause; how
long one waits, while together they ask for as many as were promised, and from when it was due.
Beside it runs what the original system did: a dictionary of all files, sorted
for each allocation. Run it as `python -m benchmarks.claims`; `benchmarks/README.md` says
what each number means.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.claims_catalog import claim_the_head, fill, take_the_hosts
from benchmarks.measuring import Postgres
from benchmarks.report import Goal, table
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.embedded.postgres import EmbeddedPostgres

CLIENTS, FILES_AT_ONCE, PROCESSES = 32, 10, 4
NODES, CLAIMS_A_NODE = 1000, 20
_MOST_P95, _MOST_P95_SETTLED, _LEAST_RATE = 0.050, 0.020, 5000.0
# What is claimed stays claimed: a client is another node when it has had its two hundred.
_SETTINGS = {"SHELTER_HOST_CONNECTIONS": "20", "SHELTER_NEW_NODE_MAX_CLAIMS": "200"}
_LIVES = 40  # nodes that one client is in turn, at most
_HOUSEKEEPING_SECONDS = 5.0
_PAUSE = (
    CLIENTS * FILES_AT_ONCE / _LEAST_RATE
)  # of each client, so that all together ask for what is promised
Timed = tuple[float, int]  # seconds of a call, and how many files it gave


def client(kind: str, process: int, clients: int, seconds: float, pause: float) -> None:
    """One process of clients: waits for a line on its input, works for so long, prints what each call took."""
    from shelter_pipeline.catalog.nodes import NodeRow, know_node
    from shelter_pipeline.operations.node_work import Wishes, allocate_work, beat, housekeep
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings(), migrated=False) as workplace:
        nodes = [
            know_node(workplace.catalog, f"{kind}-{process}-{number}") for number in range(clients * _LIVES)
        ]

        def allocation(node: NodeRow) -> int:
            return len(allocate_work(workplace, node, Wishes(10**12, limit=FILES_AT_ONCE)))

        def heartbeat(node: NodeRow) -> int:
            return len(beat(workplace, node, tokens[node.id]).renewed)

        def keep_house() -> None:  # as one process of the API does
            while True:
                housekeep(workplace)
                time.sleep(_HOUSEKEEPING_SECONDS)

        tokens: dict[int, list[int]] = {}
        if kind == "beats":
            nodes = [
                know_node(workplace.catalog, f"beats-{process}-{number}")
                for number in range(NODES // PROCESSES)
            ]
            for node in nodes:
                given = allocate_work(workplace, node, Wishes(10**12, limit=CLAIMS_A_NODE))
                tokens[node.id] = [one.token for one in given]
        ask = heartbeat if kind == "beats" else allocation
        turns = 1 if kind == "beats" else 200 // FILES_AT_ONCE  # in a row, of one node
        for _ in range(6 * clients):  # statements are prepared, connections made
            ask(nodes[-1])
        print("ready", flush=True)
        sys.stdin.readline()
        before = time.process_time()
        if process == 0:
            threading.Thread(target=keep_house, daemon=True).start()
        calls = _calls(ask, nodes, clients, turns, seconds, pause)
        print(json.dumps({"calls": calls, "cpu": time.process_time() - before}), flush=True)


def _calls(
    ask: Callable[[Any], int], nodes: Sequence[Any], threads: int, turns: int, seconds: float, pause: float
) -> list[Timed]:
    """What the calls of all threads took until the time is over; each thread has its share of the nodes.

    With a pause each asks once in so many seconds, and what a call takes is counted from when
    it was due: who is late because the one before took long has waited.
    """
    taken: list[Timed] = []
    begin = time.monotonic()

    def work(mine: Sequence[Any], due: float) -> None:
        number = 0
        while due < begin + seconds:
            time.sleep(max(due - time.monotonic(), 0.0))
            files = ask(mine[number // turns % len(mine)])
            now = time.monotonic()
            taken.append((now - due, files))
            due = due + pause if pause else now
            number += 1

    running = [
        threading.Thread(target=work, args=(nodes[number::threads], begin + pause * random.random()))
        for number in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return taken


def measure_calls(
    kind: str, environment: dict[str, str], seconds: float, postgres: Postgres, *, pause: float = _PAUSE
) -> dict[str, Any]:
    """All clients at once, for so many seconds."""
    with ExitStack() as stack:
        processes = []
        for number in range(PROCESSES):
            arguments = ("--client", kind, str(number), str(CLIENTS // PROCESSES), str(seconds), str(pause))
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.claims", *arguments],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                sys.exit("a client did not start")
        for process in processes:
            if process.stdin is not None:
                process.stdin.write("go\n")
                process.stdin.flush()
        before = postgres.seconds()
        outputs = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
        cpu = postgres.seconds() - before + sum(output["cpu"] for output in outputs)
    calls: list[Timed] = [tuple(call) for output in outputs for call in output["calls"]]
    found = _summary(calls, seconds, cpu)
    print(kind, found, file=sys.stderr)
    return found


def _summary(calls: Sequence[Timed], seconds: float, cpu: float) -> dict[str, Any]:
    parts = quantiles([took for took, _ in calls], n=100)
    files = sum(given for _, given in calls)
    return {
        "calls": len(calls),
        "files": files,
        "empty": sum(not given for _, given in calls),
        "calls_per_second": len(calls) / seconds,
        "files_per_second": files / seconds,
        "cpu_per_call": cpu / len(calls),
        "p50": parts[49],
        "p95": parts[94],
        "p99": parts[98],
    }


def measure_sorting(assets: int) -> dict[str, Any]:
    """The original's way: all files in a dictionary, sorted for each allocation, the first that fit taken."""
    queue = {number: (number * 15485863 % 1000003, number % 50_000_000) for number in range(assets)}
    calls: list[Timed] = []
    for _ in range(3):
        begun = time.monotonic()
        best = sorted(queue.items(), key=lambda item: item[1][0], reverse=True)
        chosen, room = [], 10**12
        for number, (_, size) in best:
            if size <= room:
                chosen.append(number)
                room -= size
            if len(chosen) == FILES_AT_ONCE:
                break
        for number in chosen:
            del queue[number]
        calls.append((time.monotonic() - begun, len(chosen)))
    spent = sum(took for took, _ in calls)
    return _summary(calls, spent, spent)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Every run in turn, over one server."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-bench-", dir=options.folder)).resolve()
    folder.chmod(0o755)
    runs: dict[str, dict[str, Any]] = {}
    facts: dict[str, float] = {}
    try:
        with EmbeddedPostgres(folder / "home") as server:
            meter = Postgres(int((server.data / "postmaster.pid").read_text().split()[0]))
            for name, settled in (("waiting", 0), ("settled", 990)):
                server.ensure_database(name)
                url = server.url(name)
                catalog = Catalog(url)
                migrate(catalog)
                fill(catalog, options.assets, settled_of_thousand=settled)
                environment = _environment(folder, url)
                facts[f"rebuild, {name}"] = _rebuild(environment)
                facts[f"rebuild again, {name}"] = _rebuild(environment)
                if settled:
                    runs["99 % settled"] = measure_calls("settled", environment, options.seconds, meter)
                else:
                    runs["as fast as it goes"] = measure_calls(
                        "fast", environment, options.seconds, meter, pause=0.0
                    )
                    runs["all waiting"] = measure_calls("waiting", environment, options.seconds, meter)
                    runs["heartbeats of 1,000 nodes"] = measure_calls(
                        "beats", environment, options.seconds, meter, pause=10 * _PAUSE
                    )
                    claim_the_head(catalog, options.assets // 20)
                    runs["the head is claimed"] = measure_calls("head", environment, options.seconds, meter)
                    take_the_hosts(catalog, 1000)
                    runs["a third of the hosts is busy"] = measure_calls(
                        "busy", environment, options.seconds, meter
                    )
                catalog.close()
        runs["sorted in memory"] = measure_sorting(options.assets)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"assets": options.assets, "runs": runs, "facts": facts}


def _rebuild(environment: dict[str, str]) -> float:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.claims", "--rebuild"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ended.stdout)


def rebuild() -> None:
    """Bring the whole queue up to date, and print how long it took."""
    from shelter_pipeline.operations.node_work import refresh_queue
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.settings import load_settings

    with open_workplace(load_settings(), migrated=False) as workplace:
        begun = time.monotonic()
        refresh_queue(workplace)
        print(time.monotonic() - begun)


def _environment(folder: Path, url: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHELTER_")}
    own = {"SHELTER_HOME": str(folder / "work"), "SHELTER_DATABASE_URL": url}
    return clean | own | _SETTINGS


def show(results: dict[str, Any]) -> list[Goal]:
    """Print the table, the facts and the goals."""
    runs, sorting = results["runs"], results["runs"]["sorted in memory"]
    rows = (
        (
            name,
            f"{run['calls_per_second']:,.1f}",
            f"{run['files_per_second']:,.0f}",
            *(f"{1000 * run[part]:,.1f}" for part in ("cpu_per_call", "p50", "p95", "p99")),
            str(run["empty"]),
            f"{run['files_per_second'] / sorting['files_per_second']:,.0f}",
        )
        for name, run in runs.items()
    )
    head = "run,calls/s,files/s,CPU ms a call,p50 ms,p95 ms,p99 ms,empty,files / sorting's"
    print("\n".join(table(head.split(","), rows)))
    for fact, seconds in results["facts"].items():
        print(f"{fact}: {seconds:.1f} s")
    found = goals(runs)
    for goal in found:
        print(f"{'met' if goal.met else 'NOT met':>8}: {goal.promise} ({goal.measured})")
    return found


def goals(runs: dict[str, dict[str, Any]]) -> list[Goal]:
    """What was promised, against what was measured."""
    rate, beats = runs["as fast as it goes"]["files_per_second"], runs["heartbeats of 1,000 nodes"]
    found = [
        Goal(f"{_LEAST_RATE:,.0f} files claimed a second", f"{rate:,.0f}", rate >= _LEAST_RATE),
        # A heartbeat is due each third of a lease of ten minutes.
        Goal(
            "1,000 nodes: ten times the heartbeats they need",
            f"{beats['calls_per_second']:,.0f} beats/s, 5 needed",
            beats["calls_per_second"] >= 9.5 * NODES / 200,
        ),
    ]
    for name, run in runs.items():
        most = _MOST_P95_SETTLED if name == "99 % settled" else _MOST_P95
        if name not in ("sorted in memory", "as fast as it goes"):
            found.append(
                Goal(
                    f"p95 of {name} at most {1000 * most:.0f} ms",
                    f"{1000 * run['p95']:.1f}",
                    run["p95"] <= most,
                )
            )
    return found


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a run."""
    parser = argparse.ArgumentParser(prog="benchmarks.claims", description=__doc__)
    parser.add_argument("--assets", type=int, default=2_000_000, help="files in the catalog")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each run lasts")
    parser.add_argument("--folder", help="where the database is put meanwhile; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    parser.add_argument("--client", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--rebuild", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> int:
    """Measure, print, write down; 1 if a goal is missed."""
    options = parse()
    if options.client:
        kind, process, clients, seconds, pause = options.client
        client(kind, int(process), int(clients), float(seconds), float(pause))
        return 0
    if options.rebuild:
        rebuild()
        return 0
    results = measure(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(goal.met for goal in show(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
