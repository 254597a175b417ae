"""What people should look at, counted over the whole catalog in the background: dangers, the queue, contributions.

Lists are kept as ids alone: whoever shows them looks up how those files stand by then.
"""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.dead_letters import list_dead_letters

URGENT_LEVEL = 9
SHOWN = 50
_MOST_COPIES = 9
# A host that hands nothing out, whoever asks; and one that is not there to be asked.
REFUSING = ("robots", "forbidden", "login-required", "legal", "rate-limited", "login-page")
SILENT = ("dns-failed", "connect-failed", "tls-failed", "too-slow", "server-error")


def count_watch_lists(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """The reports `at-risk`, `queue` and `contributions`, by name. Reads scores, files and copies whole."""
    return {"at-risk": _risks(catalog), "queue": _queue(catalog), "contributions": _contributions(catalog)}


def _risks(catalog: Catalog) -> dict[str, Any]:
    return {
        "losses": [dict(row) for row in catalog.rows("count_holdings_of_losses", shown=SHOWN)],
        "urgent": dict(catalog.rows("count_urgent", level=URGENT_LEVEL, shown=SHOWN)[0]),
        "hosts": [
            dict(row) for row in catalog.rows("count_closed_hosts", reasons=[*REFUSING, *SILENT], shown=SHOWN)
        ],
        "copies": [dict(row) for row in catalog.rows("count_scarce", most=_MOST_COPIES, shown=SHOWN)],
        "unconfirmed": dict(catalog.rows("count_unconfirmed", shown=SHOWN)[0]),
    }


def _queue(catalog: Catalog) -> dict[str, Any]:
    dead = list_dead_letters(catalog, limit=SHOWN + 1)
    return {
        "levels": [dict(row) for row in catalog.rows("count_levels")],
        "first": [row["id"] for row in catalog.rows("first_in_line", shown=SHOWN)],
        "dead": [row["asset_id"] for row in dead[:SHOWN]],
        "more_dead": len(dead) > SHOWN,
    }


def _contributions(catalog: Catalog) -> dict[str, Any]:
    return {str(row["id"]): dict(row) for row in catalog.rows("count_contributions")}
