"""Where callers find this API, what the operator says, else what the request was addressed to; and Dagster."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from shelter_pipeline.api.services import services_of
from shelter_pipeline.domain.networks import is_loopback


def base_of(request: Request) -> str:
    """The API's base URL, without a slash at its end."""
    return services_of(request).settings.api_public_url or str(request.base_url).rstrip("/")


def dagster_of(request: Request) -> str | None:
    """The base URL of Dagster's pages, without a slash at its end; None where the reader could not open them.

    `shelter up` keeps Dagster on the machine it runs on: who reads these pages from another has no way there.
    """
    url = services_of(request).settings.dagster_public_url
    if not url or (is_loopback(urlsplit(url).hostname or "") and not is_loopback(request.url.hostname or "")):
        return None
    return url
