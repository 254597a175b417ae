"""`shelter api`: the HTTP API alone, as production runs it."""

from __future__ import annotations

from shelter_pipeline.commands.printing import announce
from shelter_pipeline.logs import set_up_logging
from shelter_pipeline.settings import load_settings


def api() -> None:
    """Serve the HTTP API alone, until it is asked to end; under `shelter up` it runs already."""
    from shelter_pipeline.api.serve import serve
    from shelter_pipeline.embedded.stack import check_ports

    settings = load_settings()
    check_ports({"SHELTER_API_PORT": (settings.api_bind_address, settings.api_port)})
    set_up_logging(settings)
    announce(f"the HTTP API listens on {settings.api_bind_address} port {settings.api_port}")
    serve(settings)
