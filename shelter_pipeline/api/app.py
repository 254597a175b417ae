"""The application: routes gathered, errors shaped, limits around. It opens nothing by itself; `api.serve` does."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from shelter_pipeline.api.contract import complete_contract
from shelter_pipeline.api.errors import handle_errors
from shelter_pipeline.api.guard import Guard
from shelter_pipeline.api.limits import Limits
from shelter_pipeline.api.methods import Heads, KnownMethods
from shelter_pipeline.api.routes import (
    catalogue,
    ckan,
    dataset_pages,
    events,
    files,
    lists,
    losses,
    nodes,
    original,
    overview,
    proofs,
    report_pages,
    statics,
    system,
)
from shelter_pipeline.api.security import principal_of
from shelter_pipeline.api.services import Services
from shelter_pipeline.release import RELEASE

_ROUTES = (
    overview,
    events,
    lists,
    dataset_pages,
    report_pages,
    original,
    nodes,
    proofs,
    catalogue,
    losses,
    ckan,
    files,
)


def build_app(services: Services) -> FastAPI:
    """The API over these services."""
    app = FastAPI(
        title="Shelter",
        summary="Public science data, rescued: who helps, what is held, how to get it.",
        version=RELEASE,
        docs_url=None,  # FastAPI's own takes its scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    handle_errors(app)
    app.include_router(system.router)  # whoever asks how we are needs no catalog to be known by
    app.include_router(statics.router)
    for module in _ROUTES:
        app.include_router(module.router, dependencies=[Depends(principal_of)])
    complete_contract(app, services.settings)
    app.add_middleware(Heads, document=app.openapi)
    app.add_middleware(Limits, services=services)
    app.add_middleware(KnownMethods, document=app.openapi)
    app.add_middleware(Guard, metrics=services.metrics)
    return app
