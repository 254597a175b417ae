"""`shelter api`: the HTTP API alone, as production runs it."""

from __future__ import annotations

import logging
import sys

from shelter_pipeline.commands.printing import err
from shelter_pipeline.settings import load_settings


def api() -> None:
    """Serve the HTTP API alone, until it is asked to end; under `shelter up` it runs already."""
    from shelter_pipeline.api.serve import serve
    from shelter_pipeline.embedded.stack import check_ports

    settings = load_settings()
    check_ports({"SHELTER_API_PORT": (settings.api_bind_address, settings.api_port)})
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # It warns of every request that is no HTTP; those are counted in the metrics.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    err.print(
        f"the HTTP API listens on {settings.api_bind_address} port {settings.api_port}", highlight=False
    )
    serve(settings)
