"""Where a file came from: the way from a resource over pages to it; or what a dataset's links have led to."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.trails import trails_of, trails_to
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.workplace import Workplace


def trail_of(workplace: Workplace, what: str) -> dict[str, Any]:
    """`{url, ways}` for the URL of a file, `{dataset, links}` for the slug of a dataset.

    SetupError if the catalog knows neither; RefusedError for what looks like a URL and is none.
    """
    if "://" not in what:
        links = trails_of(workplace.catalog, what)
        if not links:
            raise SetupError(f"no dataset {what!r} with links is known; give its slug, or the URL of a file")
        return {"dataset": what, "links": links}
    url = parse_url(what)
    ways = trails_to(workplace.catalog, url)
    if not ways:
        raise SetupError(f"no resource is known to lead to {url.text}")
    return {"url": url.text, "ways": ways}
