"""The results as tables and sentences: each number beside its ratio, each goal met or not met.

Tables are written as Markdown, so that a result can be kept as it was printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]
INCREMENT = "data.gov, increment"
MOST_MEMORY = 600 * 10**6
_SECONDS = 10.0  # what "in seconds" means at most


@dataclass(frozen=True, slots=True)
class Goal:
    """What was promised, what was measured; `met` is None where it was not measured."""

    promise: str
    measured: str
    met: bool | None


def show(results: Result) -> None:
    """Print everything."""
    facts, sizes, server = results["machine"], results["sizes"], results["server"]
    print("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    print(", ".join(f"{name} {sizes[name]:,}" for name in ("datasets", "resources", "peer_datasets")))
    print(
        f"the server of pages gives {server['pages_per_second']} pages of 1,000 a second"
        f" ({server['megabytes_per_second']} MB/s) at {server['cpu_ms_per_page']} ms of CPU a page\n"
    )
    print("\n".join(harvest_table(results["harvests"])) + "\n")
    print("\n".join(loading_table(results["loading"])) + "\n")
    if "ckanapi" in results:
        print("\n".join(ckanapi_table(results["ckanapi"], sizes["datasets"])) + "\n")
    print("\n".join(agreement(results["loading"])) + "\n")
    for goal in goals(results):
        word = {True: "met", False: "NOT met", None: "not measured"}[goal.met]
        print(f"{word:>12}: {goal.promise} ({goal.measured})")


def harvest_table(runs: Sequence[Result]) -> list[str]:
    """The whole command, portal to catalog."""
    head = "run,datasets,new,changed,resources,wall s,our CPU s,PostgreSQL CPU s,datasets/s,peak RSS MB"
    return table(
        head.split(","),
        (
            (
                run["run"] + ("" if run["verdict"] == "complete" else f" ({run['verdict']})"),
                *(f"{run[name]:,}" for name in ("seen", "new", "changed", "resources")),
                *(f"{run[name]:.2f}" for name in ("wall", "client", "postgres")),
                f"{run['seen'] / run['wall']:,.0f}",
                _megabytes(run),
            )
            for run in runs
        ),
    )


def loading_table(loads: Sequence[Result]) -> list[str]:
    """The database part alone, each against ours and against COPY of the same size."""
    head = "contestant,pass,datasets,rows,wall s,CPU s,rows/s,time / COPY,CPU / COPY,time / ours,CPU / ours,peak RSS MB"
    return table(head.split(","), (_load_row(loads, load, name) for load in loads for name in load["costs"]))


def _load_row(loads: Sequence[Result], load: Result, name: str) -> tuple[str, ...]:
    cost, rows = load["costs"][name], load["stored"]["rows"]
    alike = load["stored"]["datasets"]
    ratios = [ratio(cost, other) for other in (_limit(loads, alike), _first(loads, "ours", alike))]
    return (
        load["contestant"],
        name,
        f"{load['stored']['datasets']:,}",
        f"{rows:,}",
        f"{cost['wall']:.2f}",
        f"{_cpu(cost):.2f}",
        f"{rows / cost['wall']:,.0f}",
        *(f"{part:.2f}" if part is not None else "–" for pair in ratios for part in pair),
        _megabytes(load),
    )


def ckanapi_table(dumps: Sequence[Result], datasets: int) -> list[str]:
    """A dump into a file beside a harvest into the catalog, and how long either would take at full size.

    Wall time only: ckanapi does not wait for its worker, so nobody is told what that one cost.
    """
    head = f"contestant,datasets,wall s,ms/dataset,s for {datasets:_} at this rate"
    return table(
        head.split(","),
        (
            (
                dump["contestant"],
                f"{dump['datasets']:,}",
                f"{dump['wall']:.2f}",
                f"{dump['wall'] / dump['datasets'] * 1000:.2f}",
                f"{dump['wall'] / dump['datasets'] * datasets:,.0f}",
            )
            for dump in dumps
        ),
    )


def agreement(loads: Sequence[Result]) -> list[str]:
    """Whether all who loaded as many datasets stored the same rows."""
    said = []
    for datasets in sorted({load["stored"]["datasets"] for load in loads}):
        alike = [load for load in loads if load["stored"]["datasets"] == datasets]
        if len(alike) == 1:
            continue
        same = len({load["stored"]["digest"] for load in alike}) == 1
        names = ", ".join(load["contestant"] for load in alike)
        said.append(
            f"{datasets:,} datasets: {names} {'stored the same rows' if same else 'stored DIFFERENT rows'}"
        )
    return said


def goals(results: Result) -> list[Goal]:
    """Each goal of the project for harvests, against what was measured."""
    loads, runs = results["loading"], {run["run"]: run for run in results["harvests"]}
    largest = max(load["stored"]["datasets"] for load in loads)
    sample = min(load["stored"]["datasets"] for load in loads)
    ours = _costs(loads, "ours", largest)
    return [
        _at_most("the first load takes at most 2 x raw COPY", ours, _limit(loads, largest), 2.0),
        _at_least(
            "the first load is at least 10 x the ORM's",
            _first(loads, "orm", sample),
            _first(loads, "ours", sample),
            10.0,
        ),
        _at_least(
            "an unchanged harvest costs the database at least 10 x less than the first",
            ours["first"],
            ours["unchanged"],
            10.0,
        ),
        _memory(results["harvests"]),
        _increment(runs.get(INCREMENT)),
    ]


def _at_most(promise: str, ours: Result, limit: Result | None, most: float) -> Goal:
    pair = ratio(ours["first"], limit)
    measured = _said(pair)
    return Goal(promise, measured, None if None in pair else all(part <= most for part in pair if part))


def _at_least(promise: str, slow: Result | None, fast: Result | None, least: float) -> Goal:
    pair = ratio(slow, fast)
    return Goal(promise, _said(pair), None if None in pair else all(part >= least for part in pair if part))


def _said(pair: tuple[float | None, float | None]) -> str:
    if None in pair:
        return "it did not run"
    return f"{pair[0]:.2f} x in time, {pair[1]:.2f} x in CPU"


def _memory(runs: Iterable[Result]) -> Goal:
    worst = max(runs, key=lambda run: run["peak_bytes"])
    measured = f"{_megabytes(worst)} MB at most, in {worst['run']}"
    return Goal("a harvest takes less than 600 MB of memory", measured, worst["peak_bytes"] < MOST_MEMORY)


def _increment(run: Result | None) -> Goal:
    promise = "an increment of 5,000 unchanged records takes seconds"
    if run is None:
        return Goal(promise, "it did not run", None)
    measured = f"{run['seen']:,} records in {run['wall']:.2f} s, start of the command included"
    return Goal(promise, measured, run["wall"] <= _SECONDS)


def ratio(cost: Result | None, other: Result | None) -> tuple[float | None, float | None]:
    """How many times the other's wall time and CPU time this one took; None where one of them did not run."""
    if cost is None or other is None:
        return None, None
    return cost["wall"] / other["wall"], _cpu(cost) / max(_cpu(other), 1e-9)


def _costs(loads: Sequence[Result], name: str, datasets: int) -> Result:
    alike = (one for one in loads if (one["contestant"], one["stored"]["datasets"]) == (name, datasets))
    return next((one["costs"] for one in alike), {})


def _first(loads: Sequence[Result], name: str, datasets: int) -> Result | None:
    return _costs(loads, name, datasets).get("first")


def _limit(loads: Sequence[Result], datasets: int) -> Result | None:
    """The faster of the two forms of COPY into the same tables."""
    ran = [cost for name in ("copy", "copy-binary") if (cost := _first(loads, name, datasets)) is not None]
    return min(ran, key=lambda cost: float(cost["wall"]), default=None)


def _cpu(cost: Result) -> float:
    return float(cost["client"] + cost["postgres"])


def _megabytes(result: Result) -> str:
    return f"{result['peak_bytes'] / 1e6:,.0f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, its first column to the left and all others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    shown = [_line(line, widths) for line in lines]
    shown.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return shown


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"
