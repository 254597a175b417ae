"""The whole rescue at a glance, for the front page, for reports and for whoever watches it live.

All of it is read from counts that were made before, in the background, and from the hours
of `catalog.throughput`: it costs the same at any size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shelter_pipeline.catalog import summaries, throughput
from shelter_pipeline.catalog.reading import Rows, read_rows, reading
from shelter_pipeline.catalog.watch_lists import URGENT_LEVEL
from shelter_pipeline.domain.counts import most_first
from shelter_pipeline.domain.fleet import SILENT_SECONDS
from shelter_pipeline.domain.pace import Hour, Left, estimate, rates
from shelter_pipeline.operations.status import active_seconds
from shelter_pipeline.operations.workplace import Workplace

_ORGANIZATIONS = 12
_TYPES = 12
_DAYS, _HOURS = 90, 48
_SAFE_COPIES = 2
_VOLUNTEERS = 10
_MOST_FRESH = 20_000  # captures since the last count that are looked at one by one
_TYPE_FIGURES = ("files", "held_files", "pending_files", "failed_files", "held_bytes")


def read_overview(workplace: Workplace) -> dict[str, Any] | None:
    """Where the rescue stands, as last counted; None if it never was (`operations.upkeep.refresh_counts` does it).

    Counts are integers, bytes are bytes, durations are seconds, moments are aware datetimes of UTC:

    - `counted_at`; `now`, by the database's clock; `first_at`, when the first capture ended, or None
    - `portals`, `organizations`, `datasets`, `absent_datasets`, `resources`, `unfollowed_links`
    - `files`: `{expected, held, waiting, resting, failed, dead, excluded}`; expected is the sum of all others.
      waiting: never tried; resting: tried, to be tried again; failed: to be looked at again much later; dead: given
      up; excluded: an operator wants them not fetched
    - `reasons`: `{reason: files}` of those not held, most first
    - `bytes`: `{expected, held, waiting, unsized_files}`: of files, each by its own size though two may be equal;
      `unsized_files` are not held, and nobody knows their size: expected is without them
    - `contents`: `{blobs, bytes, proved, proved_bytes, recent, recent_bytes, proof_days}`: distinct contents; proved:
      with a copy that was hashed where it lies or proved by a node; recent: within the last `proof_days`
    - `copies`: `{good, claimed, damaged, missing, in_stores, bytes_in_stores, at_nodes, bytes_at_nodes, spread}`; the
      last four of proved ones; `spread`: `[{copies, contents, bytes}]` for 0, 1, 2 and 3 (or more) counted copies
    - `verdicts`: `{verdict: organizations}`, as `OrganizationProgress.verdict` words them
    - `captures`: `{verdict: captures}` of all time
    - `kinds`: `[{name, files, held_files, pending_files, failed_files, held_bytes}]`, the twelve with most files and,
      last, those of all others as `name` None; `name` "" is not known yet
    - `largest`: the twelve organizations with most datasets, as `/organizations` gives them
    - `days`, `hours`: `[{begins, files, bytes, captures, failed}]` without gaps, oldest first, the last one unfinished:
      90 days and 48 hours, or since the first capture; files and bytes are those stored, failed are captures that
      brought nothing
    - `levels`: `[{level, files, held, waiting, resting, excluded, failed, waiting_bytes, unknown_sizes}]`, ten first;
      of scored files alone
    - `batches`: `{planned, running, failed}`
    - `losses`: `{state: {kind: losses}}`; `lost_files`: `{files, held}` of what is suspected or confirmed lost
    - `at_risk`: `{urgent, lost, single}`: files of level 9 and 10 that are not held, files of lost datasets and links
      that are not held, contents with fewer than two counted copies
    - `nodes`: `{known, active}`; `volunteers`: `[{name, copies, bytes}]`, the ten that hold most
    - `pace`: `{rates, left, estimate}`; rates by window (hour, day, week): `{seconds, files, bytes, files_per_second,
      bytes_per_second}`, empty in the first hour of a rescue; left and estimate as in `domain.pace`
    - `portal_list`: `[{portal, kind, url, datasets, harvested_at, complete_at}]`
    """
    counted = summaries.read_summaries(workplace.catalog, "overview", "holdings", "file-types", "queue")
    if not counted.keys() >= {"overview", "holdings", "file-types", "queue"}:
        return None
    overview, holdings = counted["overview"].body, counted["holdings"].body
    levels = counted["queue"].body["levels"]
    with reading(workplace.catalog) as connection:
        clock = throughput.throughput_now(connection)
        volunteers = read_rows(connection, "largest_volunteers", limit=_VOLUNTEERS)
        days = throughput.throughput_by(
            connection, "day", _since(clock["now"], timedelta(days=_DAYS - 1), "day")
        )
        hours = throughput.throughput_by(connection, "hour", _since(clock["now"], timedelta(days=7), "hour"))
        now = read_rows(connection, "status_now", active_seconds=active_seconds(workplace))[0]
    largest = summaries.largest_organizations(workplace.catalog, limit=_ORGANIZATIONS)
    files = _files(holdings)
    return {
        "counted_at": counted["holdings"].counted_at,
        "now": clock["now"],
        "first_at": clock["first_at"],
        **{
            name: overview[name]
            for name in ("portals", "organizations", "datasets", "absent_datasets", "resources")
        },
        "unfollowed_links": holdings["unfollowed_links"],
        "files": files,
        "reasons": _reasons(holdings["files"]),
        "bytes": _bytes(holdings["files"]),
        "contents": _contents(holdings["spread"]),
        "copies": _copies(holdings["copies"], holdings["spread"]),
        "verdicts": overview["organizations_by_verdict"],
        "captures": {row["verdict"]: row["captures"] for row in holdings["captures"]},
        "kinds": _first_and_rest(counted["file-types"].body["kinds"]),
        "largest": largest,
        "days": _without_gaps(days, clock, timedelta(days=1), _DAYS),
        "hours": _without_gaps(hours, clock, timedelta(hours=1), _HOURS),
        "levels": levels,
        "batches": {name: overview[f"{name}_batches"] for name in ("planned", "running", "failed")},
        "losses": overview["losses"],
        "lost_files": holdings["lost_files"],
        "at_risk": {
            "urgent": sum(
                row["waiting"] + row["resting"] + row["failed"]
                for row in levels
                if row["level"] >= URGENT_LEVEL
            ),
            "lost": holdings["lost_files"]["files"] - holdings["lost_files"]["held"],
            "single": sum(row["contents"] for row in holdings["spread"] if row["copies"] < _SAFE_COPIES),
        },
        "nodes": {"known": now["nodes"], "active": now["active_nodes"]},
        "volunteers": volunteers,
        "pace": _pace(hours, clock, _left(holdings, files)),
        "portal_list": overview["portal_list"],
    }


@dataclass(frozen=True, slots=True)
class Live:
    """The figures of this moment and the newest captures."""

    figures: dict[str, Any]
    activity: list[dict[str, Any]]


_COUNTED = (
    "counted_at",
    "files",
    "held_files",
    "held_bytes",
    "expected_bytes",
    "unsized_files",
    "waiting_files",
    "pace",
)


def read_live(workplace: Workplace, *, captures: int = 20) -> Live:
    """What goes on now, by indexes alone.

    `figures`: `{now, counted_at, files, held_files, held_bytes, expected_bytes, unsized_files, waiting_files, fetching,
    at_nodes, running_batches, nodes, active_nodes, workers, pace}`; held and waiting are the last counts and what was
    stored for the first time since, expected never less than held; all of `_COUNTED` are None if nothing was ever
    counted. `activity`: the newest captures, newest first: `{id, asset_id, url, kind, verdict, reason, size, late,
    by_node, node, finished_at, dataset_id, title, organization, organization_name}`, the last four None for a file
    that no dataset lists any more.
    """
    counted = summaries.read_summaries(workplace.catalog, "holdings")
    holdings = counted["holdings"].body if "holdings" in counted else None
    with reading(workplace.catalog) as connection:
        clock = throughput.throughput_now(connection)
        hours = throughput.throughput_by(connection, "hour", _since(clock["now"], timedelta(days=7), "hour"))
        [now] = read_rows(
            connection,
            "live_now",
            active_seconds=active_seconds(workplace),
            silent_seconds=SILENT_SECONDS,
            newest=holdings["newest_capture"] if holdings else 0,
            most=_MOST_FRESH if holdings else 0,
        )
        activity = read_rows(connection, "recent_captures", before=None, limit=captures)
    stored, size = now.pop("stored"), now.pop("bytes")
    figures = {
        **now,
        **dict.fromkeys(_COUNTED),
    }
    if holdings:
        files, sizes = _files(holdings), _bytes(holdings["files"])
        held, held_bytes = files["held"] + stored, sizes["held"] + size
        waiting = max(files["waiting"] + files["resting"] - stored, 0)
        figures |= {
            "counted_at": counted["holdings"].counted_at,
            # What came since may have been found since, too, or have been of unknown size.
            "files": max(files["expected"], held),
            "held_files": held,
            "held_bytes": held_bytes,
            "expected_bytes": max(sizes["expected"], held_bytes),
            "unsized_files": sizes["unsized_files"],
            "waiting_files": waiting,
            "pace": _pace(hours, clock, _left(holdings, files)),
        }
    return Live(figures, activity)


def _pace(hours: Rows, clock: Mapping[str, Any], left: Left) -> dict[str, Any]:
    """How fast it goes and how long it may take, as `read_overview` tells it."""
    stored = (Hour(row["begins"], row["files"], row["bytes"]) for row in hours)
    measured = rates(stored, now=clock["now"], first_at=clock["first_at"])
    return {
        "rates": {
            rate.window: {
                "seconds": rate.seconds,
                "files": rate.files,
                "bytes": rate.bytes,
                "files_per_second": rate.files_per_second,
                "bytes_per_second": rate.bytes_per_second,
            }
            for rate in measured
        },
        "left": asdict(left),
        "estimate": asdict(estimate(left, measured)),
    }


def _left(holdings: Mapping[str, Any], files: Mapping[str, int]) -> Left:
    waiting = [row for row in holdings["files"] if row["state"] == "pending"]
    return Left(
        files=files["waiting"] + files["resting"],
        bytes=sum(row["bytes"] for row in waiting),
        unsized_files=sum(row["unsized"] for row in waiting),
        failed_files=files["failed"],
        unfollowed_links=holdings["unfollowed_links"],
    )


def _files(holdings: Mapping[str, Any]) -> dict[str, int]:
    counts = dict.fromkeys(("expected", "held", "waiting", "resting", "failed", "dead", "excluded"), 0)
    for row in holdings["files"]:
        state = row["state"] if row["state"] != "pending" else "resting" if row["reason"] else "waiting"
        counts[state] += row["files"]
        counts["expected"] += row["files"]
    for state, files in holdings["excluded"].items():
        taken = min(files, counts[state])  # counted a moment apart
        counts[state] -= taken
        counts["excluded"] += taken
    return counts


def _reasons(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row["state"] != "held" and row["reason"]:
            counts[row["reason"]] = counts.get(row["reason"], 0) + row["files"]
    return dict(most_first(counts))


def _bytes(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    known = list(rows)

    def of(state: str) -> int:
        return sum(row["bytes"] for row in known if row["state"] == state)

    return {
        "expected": sum(row["bytes"] for row in known),
        "held": of("held"),
        "waiting": of("pending"),
        "unsized_files": sum(row["unsized"] for row in known),
    }


def _contents(spread: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    named = {"blobs": "contents", "bytes": "bytes"}
    named |= {name: name for name in ("proved", "proved_bytes", "recent", "recent_bytes")}
    rows = list(spread)
    return {
        **{name: sum(row[column] for row in rows) for name, column in named.items()},
        "proof_days": summaries.PROOF_DAYS,
    }


def _copies(rows: Iterable[Mapping[str, Any]], spread: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    known = list(rows)
    by_copies = {row["copies"]: row for row in spread}
    good = [row for row in known if row["state"] == "good"]
    return {
        **{
            state: sum(row["copies"] for row in known if row["state"] == state)
            for state in ("good", "claimed", "damaged", "missing")
        },
        "in_stores": sum(row["copies"] for row in good if row["ours"]),
        "bytes_in_stores": sum(row["bytes"] for row in good if row["ours"]),
        "at_nodes": sum(row["copies"] for row in good if not row["ours"]),
        "bytes_at_nodes": sum(row["bytes"] for row in good if not row["ours"]),
        "spread": [
            {
                "copies": number,
                **{name: by_copies.get(number, {}).get(name, 0) for name in ("contents", "bytes")},
            }
            for number in range(4)
        ],
    }


def _first_and_rest(kinds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = [{**kind, "name": kind["name"] or ""} for kind in kinds[:_TYPES]]
    rest = kinds[_TYPES:]
    if rest:
        first.append({"name": None, **{name: sum(kind[name] for kind in rest) for name in _TYPE_FIGURES}})
    return first


def _without_gaps(rows: Rows, clock: Mapping[str, Any], step: timedelta, most: int) -> list[dict[str, Any]]:
    """One row for each hour or day until now, from the first capture on but no more than so many."""
    if clock["first_at"] is None:
        return []
    by_moment: dict[datetime, dict[str, Any]] = {}
    for row in rows:
        begins = row["begins"].astimezone(UTC)
        told = by_moment.setdefault(begins, _nothing(begins))
        for name in ("files", "bytes", "captures"):
            told[name] += row[name]
        told["failed"] += row["captures"] if row["verdict"] not in ("stored", "unchanged") else 0
    last = _floor(clock["now"], step)
    first = max(_floor(clock["first_at"], step), last - (most - 1) * step)
    moments = (first + number * step for number in range((last - first) // step + 1))
    return [by_moment.get(moment) or _nothing(moment) for moment in moments]


def _nothing(begins: datetime) -> dict[str, Any]:
    return {"begins": begins, "files": 0, "bytes": 0, "captures": 0, "failed": 0}


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def _since(now: datetime, span: timedelta, unit: str) -> datetime:
    return _floor(now - span, timedelta(days=1) if unit == "day" else timedelta(hours=1))
