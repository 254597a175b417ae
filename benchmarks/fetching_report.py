"""Results of fetching as tables and sentences: each number beside its ratio to ours, each goal met or not met."""

from __future__ import annotations

from typing import Any

from benchmarks.report import Goal, table

Result = dict[str, Any]
OURS, ENGINE = "ours", "ours, engine alone"
_MOST_MEMORY = 300 * 10**6
_LEAST_RATE = 1_200


def show(results: Result) -> None:
    """Print everything."""
    print("\n" + ", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    print(
        f"scale {results['scale']}; SHA-256 of memory takes {results['sha256']:.2f} CPU s a GB;"
        " politeness was switched off where all files come from one host\n"
    )
    for name, one in results["sets"].items():
        print(
            f"{name}: {one['files']:,} files, {one['bytes'] / 1e6:,.0f} MB,"
            f" {one['hosts']} hosts, {one['connections']} connections\n"
        )
        print("\n".join(_table(one)) + "\n")
        print("\n".join(_notes(one["runs"])) + "\n")
    for goal in goals(results):
        word = {True: "met", False: "NOT met", None: "not measured"}[goal.met]
        print(f"{word:>12}: {goal.promise} ({goal.measured})")


def _table(one: Result) -> list[str]:
    head = "contestant,files right,wall s,CPU s,PostgreSQL CPU s,files/s,MB/s,CPU ms/file,CPU s/GB"
    head += ",time / ours,CPU / ours,peak RSS MB"
    ours = one["runs"].get(OURS)
    return table(head.split(","), [_row(one, name, run, ours) for name, run in one["runs"].items()])


def _row(one: Result, name: str, run: Result, ours: Result | None) -> tuple[str, ...]:
    ratios = (run["wall"] / ours["wall"], cpu(run) / cpu(ours)) if ours else (None, None)
    return (
        name,
        f"{run['right']:,}",
        f"{run['wall']:.2f}",
        f"{run['client']:.2f}",
        f"{run['postgres']:.2f}",
        f"{one['files'] / run['wall']:,.0f}",
        f"{one['bytes'] / run['wall'] / 1e6:,.0f}",
        f"{cpu(run) / one['files'] * 1000:.2f}",
        f"{cpu(run) / one['bytes'] * 1e9:.2f}",
        *("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        f"{run['peak_bytes'] / 1e6:,.0f}",
    )


def _notes(runs: Result) -> list[str]:
    """What a row cannot say: our start, how it ended where not all is well."""
    said = []
    for name, run in runs.items():
        if "start" in run:
            start = run["start"]
            said.append(f"{name}: {start['wall']:.1f} s and {start['cpu']:.1f} CPU s of it are the start")
        if run["trouble"]:
            said.append(f"{name}: {run['trouble']}")
    return said


def cpu(run: Result) -> float:
    """CPU seconds of the contestant, and of the database it writes to."""
    return float(run["client"] + run["postgres"])


def goals(results: Result) -> list[Goal]:
    """Each goal of the project for fetching, against what was measured."""
    sets = results["sets"]
    small, large, latency = sets.get("small"), sets.get("large"), sets.get("latency")
    return [
        _rate(small),
        _cpu_against(small, "rclone", 1.0),
        _cpu_against(small, "aria2c", 1.0),
        _cpu_against(small, "curl", 1.5),
        _large(large, results["sha256"]),
        _latency(latency),
        _memory(sets),
    ]


def _run(one: Result | None, name: str) -> Result | None:
    """A run in which every file came right, or None."""
    found = one["runs"].get(name) if one else None
    return found if found and one and found["right"] == one["files"] else None


def _rate(small: Result | None) -> Goal:
    promise = f"small files: at least {_LEAST_RATE:,} a second, hashed, stored and recorded"
    ours = _run(small, OURS)
    if ours is None or small is None:
        return Goal(promise, "ours did not save every file", None if small is None else False)
    rate = small["files"] / ours["wall"]
    return Goal(promise, f"{rate:,.0f}/s", rate >= _LEAST_RATE)


def _cpu_against(small: Result | None, peer: str, most: float) -> Goal:
    promise = f"small files: CPU per file at most {most:g} x {peer}'s"
    ours, theirs = _run(small, OURS), _run(small, peer)
    if ours is None or theirs is None:
        return Goal(promise, "one of them did not save every file", None)
    ratio, alone = cpu(ours) / cpu(theirs), ours["client"] / cpu(theirs)
    measured = f"{ratio:.2f} x with PostgreSQL's share, {alone:.2f} x without"
    return Goal(promise, measured, ratio <= most)


def _large(large: Result | None, sha256: float) -> Goal:
    promise = "large files: CPU per GB at most 1.5 x (curl's + SHA-256's)"
    ours, curl = _run(large, OURS), _run(large, "curl")
    if ours is None or curl is None or large is None:
        return Goal(promise, "one of them did not save every file", None)
    gigabytes = large["bytes"] / 1e9
    ratio = cpu(ours) / gigabytes / (cpu(curl) / gigabytes + sha256)
    return Goal(promise, f"{ratio:.2f} x", ratio <= 1.5)


def _latency(latency: Result | None) -> Goal:
    promise = "200 slow hosts: a higher rate than curl --parallel's"
    ours, curl = _run(latency, OURS), _run(latency, "curl")
    if ours is None or curl is None or latency is None:
        return Goal(promise, "one of them did not save every file", None)
    rates = [latency["files"] / run["wall"] for run in (ours, curl)]
    return Goal(promise, f"{rates[0]:,.0f}/s against {rates[1]:,.0f}/s", rates[0] > rates[1])


def _memory(sets: Result) -> Goal:
    promise = f"a worker takes less than {_MOST_MEMORY / 1e6:.0f} MB of memory whatever the sizes"
    peaks = {name: one["runs"][OURS]["peak_bytes"] for name, one in sets.items() if OURS in one["runs"]}
    if not peaks:
        return Goal(promise, "it did not run", None)
    worst = max(peaks, key=lambda name: int(peaks[name]))
    return Goal(promise, f"{peaks[worst] / 1e6:,.0f} MB at most, in {worst}", peaks[worst] < _MOST_MEMORY)
