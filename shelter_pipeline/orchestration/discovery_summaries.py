"""What a discovery shows in the UI: what the links are, where they lead, and what the files weigh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.orchestration.charts import stacked_bars
from shelter_pipeline.orchestration.tables import bar, table
from shelter_pipeline.presentation.words import size

Metadata = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

# What is read to know where it leads; what is a file or no URL is told by its address alone.
_PLACES = frozenset({"directory", "web-page", "repository", "service", "code"})
_WITH_FILES = frozenset({"found", "found-in-part"})
_PARTS = ("lead to files", "still to look at", "lead to none")
_NOT_READ = frozenset({"", "not-followed"})


def discovery_metadata(summary: Mapping[str, Any]) -> Metadata:
    """A run of discovery, and how the portal stands after it.

    First what this run did; then of all links of the portal what they are, which of them lead to
    no file and why, and what the files are. The share of landing pages is one of the places
    that were read.
    """
    links, files = summary["by_kind"], summary["files"]
    read = sum(
        row["resources"] for row in links if row["kind"] in _PLACES and row["outcome"] not in _NOT_READ
    )
    weight = sum(row["bytes"] for row in files)
    empty = sum(row["resources"] for row in links if row["outcome"] == "landing-page-only")
    shown: Metadata = {
        "resources looked at": summary["resources"],
        "new files": summary["assets"],
        "pages read": summary["pages"],
        "pages by outcome": table(_by_count(Counter(summary["by_reason"]), "outcome", "pages")),
        "places still to read": summary["waiting"]["due"],
        "places at rest": summary["waiting"]["resting"],
        "landing-page-only share": round(empty / read, 4) if read else 0.0,
        "landing pages without files": f"{empty} of {read} places that were read",
        "links read in part": sum(row["resources"] for row in links if row["outcome"] == "found-in-part"),
        "links": stacked_bars("Links by kind", _drawn(links), label="kind", parts=_PARTS),
        "links by kind": table(_by_kind(links)),
        "links without files": table(_by_count(_without_files(links), "outcome", "links")),
        "files by kind": table([_of_files(row) for row in files]),
        "files": stacked_bars("Files by kind", files, label="kind", parts=("files",)),
        "known bytes": size(weight),
        "files known": sum(row["files"] for row in files),
        "bytes known": weight,
    }
    return shown | ({"ended early": summary["cut_short"]} if summary["cut_short"] else {})


def _drawn(links: Rows) -> list[dict[str, Any]]:
    """The links of each kind by where they lead."""
    kinds: dict[str, dict[str, Any]] = {}
    for row in links:
        counts = kinds.setdefault(row["kind"], {"kind": row["kind"], **dict.fromkeys(_PARTS, 0)})
        leads = 0 if row["outcome"] in _WITH_FILES else 2 if row["outcome"] else 1
        counts[_PARTS[leads]] += row["resources"]
    return list(kinds.values())


def _by_kind(links: Rows) -> list[dict[str, Any]]:
    """A row for each kind of link, most links first: how many lead to files, and how many nobody has looked at yet."""
    every, leading, waiting = Counter[str](), Counter[str](), Counter[str]()
    for row in links:
        every[row["kind"]] += row["resources"]
        leading[row["kind"]] += row["resources"] * (row["outcome"] in _WITH_FILES)
        waiting[row["kind"]] += row["resources"] * (row["outcome"] == "")
    return [
        {
            "kind": kind,
            "links": count,
            "lead to files": bar(leading[kind], count),
            "still to look at": waiting[kind],
        }
        for kind, count in every.most_common()
    ]


def _without_files(links: Rows) -> Counter[str]:
    """Links that lead to no file, by outcome."""
    counted = Counter[str]()
    for row in links:
        if row["outcome"] not in ("", *_WITH_FILES):
            counted[row["outcome"]] += row["resources"]
    return counted


def _of_files(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "files": row["files"],
        "of known size": bar(row["weighed"], row["files"]),
        "known bytes": size(row["bytes"]),
    }


def _by_count(counted: Counter[str], name: str, unit: str) -> list[dict[str, Any]]:
    return [{name: key, unit: count} for key, count in counted.most_common()]
