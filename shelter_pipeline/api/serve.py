"""The API as a process: a workplace opened, uvicorn around the application, both closed at the end."""

from __future__ import annotations

import contextlib
import resource
from typing import Any

import uvicorn

from shelter_pipeline.api.access_log import write_access_log
from shelter_pipeline.api.app import build_app
from shelter_pipeline.api.housekeeping import keeping_house
from shelter_pipeline.api.protocol import Deadlines, protocol_of
from shelter_pipeline.api.routes.events import end_live
from shelter_pipeline.api.services import Services
from shelter_pipeline.catalog.impatience import Impatience
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import Settings

_CONNECTIONS = 20  # to the catalog, and as many again at peaks: one for each thread that answers
_STOP_SECONDS = 15


def serve(settings: Settings) -> None:
    """Answer requests until the process is asked to end; those under way may end, for fifteen seconds.

    Raises SetupError when something has to be set or freed before anything can work.
    """
    if settings.api_access_log:
        write_access_log()
    _allow_open_files(settings.api_max_connections)
    impatience = Impatience(settings.api_statement_seconds)
    with (
        open_workplace(settings, impatience=impatience, connections=_CONNECTIONS) as workplace,
        keeping_house(workplace),
        # uvicorn raises the signal anew once it has ended in order.
        contextlib.suppress(KeyboardInterrupt),
    ):
        server_of(Services(workplace)).run()


def server_of(services: Services) -> uvicorn.Server:
    """A server for these services on the address and port of the settings."""
    settings = services.settings
    return _Server(
        uvicorn.Config(
            build_app(services),
            host=settings.api_bind_address,
            port=settings.api_port,
            http=protocol_of(Deadlines.of(settings, services.metrics.refused)),
            ws="none",
            lifespan="off",
            workers=1,  # limits and counts are of one process
            backlog=2048,
            timeout_keep_alive=int(settings.api_idle_seconds),
            timeout_graceful_shutdown=_STOP_SECONDS,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # `api.limits` believes the proxies that are named, and no others
            server_header=False,
        )
    )


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: Any = None) -> None:
        """End the answers that have no end first: the others may take their time."""
        end_live(self.config.app)  # type: ignore[arg-type] # it is what `server_of` gave it
        await super().shutdown(sockets)


def _allow_open_files(connections: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 512
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
