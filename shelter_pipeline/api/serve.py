"""The API as a process: a workplace opened, uvicorn around the application, both closed at the end."""

from __future__ import annotations

import uvicorn

from shelter_pipeline.api.app import build_app
from shelter_pipeline.api.services import Services
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import Settings


def serve(settings: Settings) -> None:
    """Answer requests until the process is asked to end."""
    with open_workplace(settings) as workplace:
        server_of(Services(workplace)).run()


def server_of(services: Services) -> uvicorn.Server:
    """A server for these services on the address and port of the settings."""
    settings = services.settings
    return uvicorn.Server(
        uvicorn.Config(
            build_app(services),
            host=settings.api_bind_address,
            port=settings.api_port,
            log_config=None,
            server_header=False,
        )
    )
