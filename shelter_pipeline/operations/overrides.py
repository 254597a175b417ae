"""An operator's word on what comes first: kept with its reason, in force at once, ended by itself or by a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from shelter_pipeline.catalog import overrides as books
from shelter_pipeline.catalog.overrides import Action, Target
from shelter_pipeline.catalog.scoring import MOST_AT_ONCE, today
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.score_assets import rescore, rescore_after
from shelter_pipeline.operations.targets import find_target
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.priorities.weights import LEVELS, load_weights

_SPAN = re.compile(r"([1-9][0-9]{0,3})([dw])\Z")
_DAYS = {"d": 1, "w": 7}
_BY_API = "set through the API"


def override(
    workplace: Workplace,
    action: Action,
    target: str,
    *,
    who: str,
    why: str,
    until: str | None = None,
    amount: float | None = None,
) -> dict[str, Any]:
    """Keep a word on a target and score its files anew; returns `{override, action, target, files, changed, until}`.

    `amount` is what a boost adds to the score (-1 to 1) or the level that is set (1 to 10).
    `until` is a date, or a span like 30d or 6w. SetupError for what cannot be meant.
    """
    load_weights(workplace.settings.priority_weights)  # a word that could not come into force is not kept
    if not why.strip():
        raise SetupError("a decision needs its reason: --why may not be empty")
    _check_amount(action, amount)
    meant = find_target(workplace, target)
    ends = moment_of(until, today(workplace.catalog)) if until else None
    identity = books.add_override(
        workplace.catalog, action, meant, amount=amount, who=who, why=why.strip(), until=ends
    )
    return {
        "override": identity,
        "action": action,
        "target": target,
        **_in_force(workplace, meant),
        "until": ends,
    }


def revoke(workplace: Workplace, override_id: int, *, who: str) -> dict[str, Any]:
    """End a word and score its files anew; returns `{revoked, files, changed}`. SetupError if it does not stand."""
    meant = books.revoke_override(workplace.catalog, override_id, who)
    return {"revoked": override_id, **_in_force(workplace, meant)}


def override_table(workplace: Workplace, *, standing: bool = True) -> list[dict[str, Any]]:
    """Words, newest first: those that stand, or all that were ever said."""
    return [dict(row) for row in books.list_overrides(workplace.catalog, standing=standing)]


def set_priorities(workplace: Workplace, levels: Sequence[tuple[int, int]], who: str) -> list[int]:
    """Set the levels of assets by id, in force at once; returns the ids of the assets there are.

    Each takes the place of the level that this name has set before. SetupError for a level
    that is not from 1 to 10; then nothing is set.
    """
    for _, level in levels:
        _check_amount("set", level)
    found = books.replace_levels(workplace.catalog, levels, who=who, why=_BY_API)
    rescore_after(workplace, "setting levels", found)
    return found


def moment_of(text: str, day: date) -> datetime:
    """Midnight, UTC, after `2026-12-31`, or after `30d` or `6w` from a day on. SetupError for what is past."""
    span = _SPAN.match(text.strip().lower())
    try:
        last = (
            day + timedelta(days=int(span[1]) * _DAYS[span[2]]) if span else date.fromisoformat(text.strip())
        )
        end = datetime.combine(last + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError) as error:
        raise SetupError(f"{text!r} is no end: give a date like 2026-12-31, or days like 30d") from error
    if last < day:
        raise SetupError(f"{text} is past already: today is {day}")
    return end


def _check_amount(action: Action, amount: float | None) -> None:
    if action == "boost" and (amount is None or not -1 <= amount <= 1 or amount == 0):
        raise SetupError(f"a boost is a number from -1 to 1 that is not 0, and {amount} is none")
    if action == "set" and amount not in LEVELS:
        raise SetupError(f"a level is a whole number from 1 to 10, and {amount} is none")


def _in_force(workplace: Workplace, meant: Target) -> dict[str, Any]:
    reached = books.assets_of(workplace.catalog, meant, limit=MOST_AT_ONCE + 1)
    changed = rescore(workplace, reached)
    many = len(reached) > MOST_AT_ONCE
    return {"files": f"more than {MOST_AT_ONCE}" if many else len(reached), "changed": changed}
