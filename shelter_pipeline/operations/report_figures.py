"""The figures of a report: what is expected, held, missing and lost, counted in one moment of the catalog.

`figures` is the content of report.json, of which docs/how-to/reports.md tells field by field: a change of its shape is
another `FORMAT`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import find_portal, organization_id
from shelter_pipeline.catalog.reporting import Snapshot
from shelter_pipeline.domain.counts import most_first
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.loss_words import evidence_told
from shelter_pipeline.domain.verdict_words import in_words, verdict_words
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.presentation.standing import where_it_stands
from shelter_pipeline.release import RELEASE

FORMAT = "shelter-report/1"
_MOST_VOLUNTEERS = 200
_NEWEST_LOSSES = 200
_MOST_TYPES = 100
_COUNTS = ("files", "held_files", "waiting_files", "resting_files", "failed_files", "held_bytes")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reported on: these organizations, keys by id, or everything; and how it is named to people."""

    organizations: Mapping[int, str] | None
    name: str  # of a person's kind
    slug: str  # for names of files; empty for everything
    portal: str | None = None

    @property
    def ids(self) -> list[int] | None:
        """The ids of the organizations, None for everything."""
        return None if self.organizations is None else list(self.organizations)


def scope_of(catalog: Catalog, organizations: Sequence[str], portal: str | None) -> Scope:
    """The scope that these keys and this portal's slug name. SetupError, with close names, for one that is unknown."""
    if not organizations and portal is None:
        return Scope(None, "all organizations", "")
    if portal is not None:
        find_portal(catalog, portal)
    for key in organizations:
        organization_id(catalog, key)
    found = catalog.rows("report_scope", keys=list(organizations) or None, portal=portal)
    missing = [key for key in organizations if key not in {row["key"] for row in found}]
    if missing or not found:
        named = ", ".join(missing) or "no organization"
        raise SetupError(f"{named} of the portal {portal!r}: the portal lists nothing of that name")
    if len(found) == 1:
        name, slug = found[0]["name"], found[0]["key"]
    elif organizations:
        name, slug = f"{len(found)} organizations", f"{len(found)}-organizations"
    else:
        name, slug = f"the portal {portal}", str(portal)
    return Scope({row["id"]: row["key"] for row in found}, name, slug, portal)


def read_figures(snapshot: Snapshot, scope: Scope) -> dict[str, Any]:
    """Everything that report.json says; in memory are organizations, days and counts, and nothing for each file."""
    ids = scope.ids
    organizations = _organizations(snapshot, scope)
    by = _files_by(snapshot, ids)
    losses = _losses(snapshot, ids)
    totals = _totals(organizations, by)
    return {
        "format": FORMAT,
        "release": RELEASE,
        "counted_at": snapshot.at,
        "scope": {
            "name": scope.name,
            "portal": scope.portal,
            "organizations": None if scope.organizations is None else list(scope.organizations.values()),
        },
        "summary": where_it_stands(totals),
        "totals": totals,
        "portals": snapshot.rows("report_portals", organizations=ids),
        "organizations": organizations,
        "organizations_by_verdict": _explained(
            Counter(row["verdict"] for row in organizations), "organizations", verdict_words
        ),
        "missing_by_reason": [
            {
                "reason": row["name"],
                "sentence": in_words(row["name"]),
                "next": REASONS[row["name"]].next.value if row["name"] in REASONS else None,
                "files": row["files"],
            }
            for row in by["reason"]
            if row["name"]
        ],
        "links_without_files": _explained(_summed(organizations, "not_files"), "links", in_words),
        "kinds": _types(by["kind"]),
        "formats": _types(by["format"]),
        "copies": snapshot.rows("report_copies", organizations=ids),
        "volunteers": snapshot.rows("report_volunteers", organizations=ids, limit=_MOST_VOLUNTEERS),
        "losses": losses,
        "days": snapshot.rows("report_captures_by_day", organizations=ids),
    }


def _organizations(snapshot: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    known = {
        row["organization"]: row for row in snapshot.rows("report_organizations", organizations=scope.ids)
    }
    return [
        {
            **asdict(progress),
            "verdict": progress.verdict,
            "portal": known[progress.organization]["portal"],
            "absent_datasets": known[progress.organization]["absent_datasets"],
            "undiscovered_links": progress.undiscovered,
        }
        for progress in snapshot.progress(scope.organizations)
    ]


def _files_by(snapshot: Snapshot, ids: list[int] | None) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"all": [], "kind": [], "format": [], "reason": []}
    for row in snapshot.rows("report_files_by", organizations=ids):
        found[row["by"]].append({"name": row["name"], **{name: row[name] for name in _COUNTS}})
    return found


def _totals(
    organizations: Sequence[Mapping[str, Any]], by: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, int]:
    files = by["all"][0]
    return {
        "organizations": len(organizations),
        "datasets": sum(row["datasets"] for row in organizations),
        "absent_datasets": sum(row["absent_datasets"] for row in organizations),
        "undiscovered_links": sum(row["undiscovered"] for row in organizations),
        **{name: files[name] for name in _COUNTS},
    }


def _losses(snapshot: Snapshot, ids: list[int] | None) -> dict[str, Any]:
    by_state: dict[str, dict[str, int]] = {}
    for row in snapshot.rows("report_loss_counts", organizations=ids):
        by_state.setdefault(row["state"], {})[row["kind"]] = row["losses"]
    batches = snapshot.batches("report_losses", organizations=ids)
    rows = (dict(zip(names, row, strict=True)) for names, some in batches for row in some)
    newest = [
        {**row, "evidence_in_words": evidence_told({**row, "last_seen_at": None})}
        for row in islice(rows, _NEWEST_LOSSES)
    ]
    batches.close()
    return {"by_state": by_state, "newest": newest}


def _types(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "name": row["name"] or "unknown"} for row in rows[:_MOST_TYPES]]


def _summed(rows: Sequence[Mapping[str, Any]], name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found.update(row[name])
    return found


def _explained(counts: Mapping[str, int], what: str, words: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"word": word, "sentence": words(word), what: count} for word, count in most_first(counts)]
