"""Losses as people and programs follow them: a report, a feed, a summary, and an operator's word on them.

The feed announces what is suspected, confirmed or recovered. What a breaker withholds is
counted and never announced, so nobody is alarmed by a portal's bad night.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypedDict, Unpack

from shelter_pipeline.catalog import losses as books
from shelter_pipeline.catalog.portals import find_portal, organization_id
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.losses import ANNOUNCED, KINDS, STATES, LossRules
from shelter_pipeline.operations.pages import Page, by_id
from shelter_pipeline.operations.score_assets import rescore_after
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.registry import parse_portal
from shelter_pipeline.settings import Settings

# All that XML 1.0 cannot hold, escaped or not (section 2.2, production Char).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEWEST = 20
_DAY_HOURS = 24
_KIB = 1024


def loss_rules(settings: Settings) -> LossRules:
    """The rules for losses as the settings have them."""
    return LossRules(
        settings.loss_breaker_fraction, settings.loss_confirm_harvests, settings.loss_confirm_days
    )


class LossFilters(TypedDict, total=False):
    """Which losses are asked for: everything that is left out is not asked about.

    `portal` is a slug and `organization` a key; `since` is when a loss came to its state;
    `after` is the id of the last loss of the page before, for losses are listed newest
    first, `limit` (1000) at a time.
    """

    states: Sequence[str] | None
    kinds: Sequence[str] | None
    portal: str | None
    organization: str | None
    since: datetime | None
    after: int | None
    limit: int


def list_losses(workplace: Workplace, **filters: Unpack[LossFilters]) -> list[dict[str, Any]]:
    """Losses, newest first, dates in ISO 8601. SetupError for a word or a name that is not known."""
    _refuse_unknown(workplace, filters)
    return [_plain(row) for row in books.list_losses(workplace.catalog, **filters)]


def losses_page(workplace: Workplace, page: Page, filters: LossFilters) -> dict[str, Any]:
    """`{items, next}`: losses newest first; those that are announced, unless states are named.

    BadCursorError for a cursor of another question, SetupError for a word or name that is not known.
    """
    asked = {"losses": True, **filters}
    place = page.begins(asked, int)
    wanted: LossFilters = filters | {"states": filters.get("states") or ANNOUNCED}
    found = list_losses(workplace, **(wanted | {"after": place[0] if place else None, "limit": page.rows}))
    return page.of(found, asked, by_id)


def losses_report(workplace: Workplace, **filters: Unpack[LossFilters]) -> dict[str, Any]:
    """The JSON of `/losses.json`: `{generated_at, counts, withheld, losses}`.

    `losses` are those that are announced, unless states are named; `counts` are of the whole
    portal, and `withheld` says by organization how many datasets breakers keep back.
    """
    found = list_losses(workplace, **(filters | {"states": filters.get("states") or ANNOUNCED}))
    portal, organization = filters.get("portal"), filters.get("organization")
    portal_id = None if portal is None else find_portal(workplace.catalog, portal).id
    withheld = books.withheld_losses(workplace.catalog, portal=portal, organization=organization)
    return {
        "generated_at": datetime.now(UTC).isoformat(),
        "counts": books.loss_counts(workplace.catalog, portal_id),
        "withheld": [_plain(row) for row in withheld],
        "losses": found,
    }


def losses_rss(workplace: Workplace, **filters: Unpack[LossFilters]) -> str:
    """The announced losses as an RSS 2.0 feed, latest change first, an item for each state a loss comes to."""
    _refuse_unknown(workplace, filters)
    asked = filters.get("states") or ANNOUNCED
    wanted: LossFilters = filters | {"states": [state for state in ANNOUNCED if state in asked]}
    portal = filters.get("portal")
    feed = ET.Element("rss", version="2.0")
    channel = ET.SubElement(feed, "channel")
    _say(channel, "title", f"Losses of public data: {filters.get('organization') or portal or 'all portals'}")
    _say(channel, "link", _home_of(workplace, portal))
    _say(channel, "description", "Datasets and links that are suspected lost, confirmed lost, or back again.")
    _say(channel, "lastBuildDate", format_datetime(datetime.now(UTC)))
    for row in books.list_losses(workplace.catalog, latest=True, **wanted):
        _add_item(channel, row)
    return ET.tostring(feed, encoding="unicode", xml_declaration=True)


def loss_summary(workplace: Workplace, portal_slug: str) -> dict[str, Any]:
    """One portal's losses for a check: `{confirmed, suspected, withheld, recovered_last_day, breakers, newest}`."""
    portal = find_portal(workplace.catalog, portal_slug)
    counts = books.loss_counts(workplace.catalog, portal.id)
    withheld = books.withheld_losses(workplace.catalog, portal=portal_slug)
    return {
        **{state: sum(counts.get(state, {}).values()) for state in ("confirmed", "suspected", "withheld")},
        "recovered_last_day": books.recovered_since(workplace.catalog, portal.id, hours=_DAY_HOURS),
        "breakers": sorted({row["breaker"] for row in withheld if row["breaker"]}),
        "newest": list_losses(workplace, portal=portal_slug, states=ANNOUNCED, limit=_NEWEST),
    }


def decide_losses(
    workplace: Workplace,
    loss_ids: Sequence[int],
    *,
    state: Literal["confirmed", "dismissed"],
    who: str,
    why: str,
) -> int:
    """An operator's word on open losses; returns how many. SetupError, and nothing changes, for an unknown id."""
    decided = books.decide(workplace.catalog, loss_ids, state=state, who=who, why=_said(why))
    # Those of the organization's other datasets follow within the hour.
    rescore_after(workplace, "the decision", books.assets_of_losses(workplace.catalog, loss_ids))
    return decided


def release_losses(
    workplace: Workplace, *, organization: str | None, portal: str | None, who: str, why: str
) -> int:
    """An operator's word that a mass drop is real; returns how many withheld losses are suspected now."""
    _refuse_unknown_owner(workplace, portal, organization)
    released = books.release_withheld(
        workplace.catalog, organization=organization, portal=portal, who=who, why=_said(why)
    )
    if released:
        rescore_after(workplace, "the decision")
    return released


def _said(why: str) -> str:
    if not why.strip():
        raise SetupError("a decision needs its reason: --why may not be empty")
    return why.strip()


def _refuse_unknown(workplace: Workplace, filters: LossFilters) -> None:
    for what, asked, known in (
        ("state", filters.get("states"), STATES),
        ("kind", filters.get("kinds"), KINDS),
    ):
        for word in asked or ():
            if word not in known:
                raise SetupError(f"there is no {what} {word!r} of losses; there are {', '.join(known)}")
    _refuse_unknown_owner(workplace, filters.get("portal"), filters.get("organization"))


def _refuse_unknown_owner(workplace: Workplace, portal: str | None, organization: str | None) -> None:
    if portal is not None:
        find_portal(workplace.catalog, portal)
    if organization is not None:
        organization_id(workplace.catalog, organization)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _home_of(workplace: Workplace, portal: str | None) -> str:
    if portal is not None:
        return find_portal(workplace.catalog, portal).url
    return parse_portal(workplace.settings.portal)[1]


def _since(row: Mapping[str, Any]) -> datetime:
    """When the loss came to the state it is in."""
    moment = row["suspected_at"] if row["state"] == "suspected" else row["decided_at"]
    return moment if isinstance(moment, datetime) else row["suspected_at"]


def _add_item(channel: ET.Element, row: Mapping[str, Any]) -> None:
    item = ET.SubElement(channel, "item")
    thing = row["url"] or row["title"] or row["dataset"]
    _say(item, "title", f"{row['state'].capitalize()} ({row['kind']}): {thing}")
    link = row["url"] or row["landing_page"]
    if link and re.match(r"https?://", link, re.IGNORECASE):
        _say(item, "link", link)
    _say(item, "guid", f"shelter-loss-{row['id']}-{row['state']}", isPermaLink="false")
    _say(item, "pubDate", format_datetime(_since(row).astimezone(UTC)))
    for name in (row["organization"], row["kind"]):
        if name:
            _say(item, "category", name)
    _say(item, "description", _told(row))


def _told(row: Mapping[str, Any]) -> str:
    """One loss in a few sentences: what it is, since when, where it went, what we hold of it."""
    told = [KINDS[row["kind"]], STATES[row["state"]]]
    if row["url"] and row["title"]:
        told.append(f"Dataset: {row['title']}.")
    told.append(f"Missing since {row['suspected_at'].date().isoformat()}, in {row['misses']} looks.")
    if row["moved_to"]:
        told.append(f"It seems to be {row['moved_to']} now: {row['evidence'].get('because', '')}.")
    told.append(f"Held here: {row['held_files']} of {row['files']} files, {_size(row['held_bytes'])}.")
    return " ".join(told)


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} TiB"


def _say(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = _NOT_XML.sub("\ufffd", text)
