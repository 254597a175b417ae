"""Where callers find this API: what the operator says, else what the request was addressed to."""

from __future__ import annotations

from fastapi import Request

from shelter_pipeline.api.services import services_of


def base_of(request: Request) -> str:
    """The API's base URL, without a slash at its end."""
    return services_of(request).settings.api_public_url or str(request.base_url).rstrip("/")
