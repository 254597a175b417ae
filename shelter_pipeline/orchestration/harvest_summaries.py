"""What a harvest shows in the UI, and the checks it answers: complete, within the breaker, nothing newly lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from shelter_pipeline.orchestration.charts import stacked_bars
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.summaries import Metadata
from shelter_pipeline.orchestration.tables import bar, short_table, table
from shelter_pipeline.presentation.words import by_reason

HARVEST_CHECK = "harvest_is_complete"
BREAKER_CHECK = "losses_within_breaker"
LOSS_CHECK = "no_new_confirmed_losses"

harvest_check_specs = (
    dg.AssetCheckSpec(
        HARVEST_CHECK,
        asset="package_list",
        blocking=True,
        **about(HARVEST_CHECK),
    ),
    dg.AssetCheckSpec(
        BREAKER_CHECK,
        asset="package_list",
        **about(BREAKER_CHECK),
    ),
    dg.AssetCheckSpec(
        LOSS_CHECK,
        asset="package_list",
        **about(LOSS_CHECK),
    ),
)

_CHANGES = ("new", "changed", "moved", "recovered", "delisted", "withheld")
# As numbers, so that the UI plots them over time.
_COUNTS = (
    *("expected", "seen", "new", "changed", "unchanged", "moved", "refused", "duplicates", "delisted"),
    *(
        "recovered",
        "withheld",
        "confirmed",
        "missing",
        "surplus",
        "resources",
        "requests",
        "resumed",
        "seconds",
    ),
)
_LOSS_COLUMNS = ("state", "kind", "organization", "title", "url", "suspected_at", "misses", "held_files")
_MOST_ORGANIZATIONS = 100
_MOST_REFUSALS = 50


def harvest_metadata(report: Mapping[str, Any]) -> Metadata:
    """A harvest: its verdict and what it rests on, its counts, the changes by organization, what was refused."""
    changed = changed_organizations(report)
    columns = ["organization", "expected", "seen", *_told(changed)]
    return {
        "verdict": report["verdict"],
        "mode": report["mode"],
        "completeness": _completeness(report),
        "message": report["message"] or "–",
        "changes": stacked_bars("Changes by organization", changed, label="organization", parts=_CHANGES),
        "changes by organization": short_table(changed, columns),
        **{name: report[name] for name in _COUNTS if report[name] is not None},
        "dagster/row_count": report["seen"],
        "losses of links": by_reason({what: count for what, count in report["links"].items() if count}),
        "all changes by organization": table(changed[:_MOST_ORGANIZATIONS], columns),
        "witnesses": table(report["witnesses"], ["source", "total"]),
        "refusals": table(
            report["refusals"][:_MOST_REFUSALS], ["position", "identifier", "field", "problem"]
        ),
    }


def changed_organizations(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The organizations of which anything changed, most changes first."""
    rows: Sequence[Mapping[str, Any]] = report["by_organization"]
    changes = [(sum(row[name] for name in _CHANGES), row) for row in rows]
    return [
        row for count, row in sorted(changes, key=lambda pair: (-pair[0], pair[1]["organization"])) if count
    ]


def _told(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kinds of changes that occurred at all."""
    return [name for name in _CHANGES if any(row[name] for row in rows)]


def _completeness(report: Mapping[str, Any]) -> str | dg.MetadataValue[Any]:
    if report["mode"] == "increment":
        return f"{report['seen']} records with a change; what is gone only a full harvest can tell"
    if report["expected"] is None:
        return "the portal gives no count"
    share = bar(report["seen"] + report["refused"], report["expected"])
    return dg.MetadataValue.md(
        f"{share} ({report['seen']} seen and {report['refused']} refused of {report['expected']})"
    )


def harvest_checks(report: Mapping[str, Any], losses: Mapping[str, Any]) -> Iterator[dg.AssetCheckResult]:
    """The answers to all checks that a harvest has; each names its portal, for the UI shows the newest of all."""
    confirmed_now = report["confirmed"] + report["links"]["confirmed"]
    yield _check(
        HARVEST_CHECK,
        report["verdict"] in ("complete", "plausible"),
        dg.AssetCheckSeverity.ERROR,
        report["message"],
        {
            name: report[name]
            for name in ("portal", "verdict", "mode", "expected", "seen", "missing", "surplus")
        },
    )
    yield _check(
        BREAKER_CHECK,
        # An increment withholds nothing and ends nothing: what was withheld before it still is.
        not losses["withheld"],
        dg.AssetCheckSeverity.WARN,
        report["message"] if report["withheld"] else _still_withheld(losses),
        {
            "portal": report["portal"],
            "withheld": report["withheld"],
            "withheld in all": losses["withheld"],
            "of": ", ".join(map(str, losses["breakers"])) or None,
        },
    )
    yield _check(
        LOSS_CHECK,
        not confirmed_now,
        dg.AssetCheckSeverity.WARN,
        f"{confirmed_now} losses are confirmed since this harvest" if confirmed_now else None,
        {
            "portal": report["portal"],
            "datasets confirmed now": report["confirmed"],
            "links confirmed now": report["links"]["confirmed"],
            **{f"{name} in all": losses[name] for name in ("confirmed", "suspected", "withheld")},
            "recovered in a day": losses["recovered_last_day"],
            "newest losses": table(losses["newest"], _LOSS_COLUMNS),
        },
    )


def _still_withheld(losses: Mapping[str, Any]) -> str | None:
    count = losses["withheld"]
    return f"{count} losses are withheld since an earlier harvest" if count else None


def _check(
    name: str,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    description: str | None,
    metadata: Mapping[str, Any],
) -> dg.AssetCheckResult:
    known = {key: value for key, value in metadata.items() if value is not None}
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=severity, description=description, metadata=known
    )
