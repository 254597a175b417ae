"""The application: routes gathered, errors shaped. It opens nothing by itself; `api.serve` does."""

from __future__ import annotations

from fastapi import FastAPI

from shelter_pipeline.api.errors import handle_errors
from shelter_pipeline.api.routes import (
    catalogue,
    ckan,
    files,
    losses,
    nodes,
    original,
    proofs,
    system,
)
from shelter_pipeline.api.services import Services

_ROUTES = (system, original, nodes, proofs, catalogue, losses, ckan, files)


def build_app(services: Services) -> FastAPI:
    """The API over these services."""
    app = FastAPI(
        title="Shelter", summary="Public science data, rescued: who helps, what is held, how to get it."
    )
    app.state.services = services
    handle_errors(app)
    for module in _ROUTES:
        app.include_router(module.router)
    return app
