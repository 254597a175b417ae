"""Notice links that died: what the captures of rescues and revisits say, and when to look again."""

from __future__ import annotations

from dataclasses import asdict

from shelter_pipeline.catalog.link_losses import record_link_losses
from shelter_pipeline.catalog.portals import find_portal
from shelter_pipeline.operations.losses import loss_rules
from shelter_pipeline.operations.workplace import Workplace


def watch_links(workplace: Workplace, portal_slug: str | None = None) -> dict[str, int]:
    """What the newest captures say of links, of one portal or of all.

    Returns `{suspected, withheld, confirmed, recovered, replaced}`; `replaced` is a part of the suspected. No request
    is made. SetupError if there is no such portal.
    """
    portal_id = None if portal_slug is None else find_portal(workplace.catalog, portal_slug).id
    return asdict(record_link_losses(workplace.catalog, loss_rules(workplace.settings), portal_id=portal_id))
