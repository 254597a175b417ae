"""Ways from Dagster's pages to ours, as metadata, where it is known at which address people open those."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import dagster as dg

from shelter_pipeline.settings import Settings

OVERVIEW = "/"
DATASETS = "/browse/datasets"
LOSSES = "/browse/losses"
NODES = "/browse/nodes"
ORGANIZATIONS = "/browse/organizations"
QUEUE = "/browse/queue"
REPORTS = "/browse/reports"


def organization_page(key: str) -> str:
    """The page of one organization."""
    return f"{ORGANIZATIONS}/{quote(key, safe='')}"


def links(settings: Settings, **pages: str) -> dict[str, dg.MetadataValue[Any]]:
    """The pages by what they show, underscores for blanks; nothing while nobody has said where the API is reached."""
    base = settings.api_public_url
    return {name.replace("_", " "): dg.MetadataValue.url(base + page) for name, page in pages.items() if base}
