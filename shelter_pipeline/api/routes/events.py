"""What goes on, live: as server-sent events (HTML Living Standard, 9.2), or once for who cannot listen."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.belongings import belonging
from shelter_pipeline.api.errors import unavailable
from shelter_pipeline.api.live import Live, Telling, TooManyListenersError
from shelter_pipeline.api.methods import IS_HEAD
from shelter_pipeline.api.pieces import Pieces
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.services import services_of
from shelter_pipeline.api.upkeep import upkeep_of
from shelter_pipeline.operations.overview import read_live
from shelter_pipeline.presentation.live import activity_entries, live_figures

router = APIRouter()
_POLL_SECONDS = 5
_MEDIA_TYPE = "text/event-stream"
# nginx would collect what is told until it is a page of memory.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/browse/events", include_in_schema=False)
async def events(request: Request) -> Response:
    """`now` with figures when they change, `activity` with new captures, `trouble` while nothing can be known."""
    if request.scope.get(IS_HEAD):
        return Response(headers=_HEADERS, media_type=_MEDIA_TYPE)
    caller = request.client.host if request.client else ""
    try:
        listener = live_of(request).join(caller)
    except TooManyListenersError as error:
        return unavailable(error.reason, str(error), error.retry_after_seconds)
    return Pieces(listener, listener.events, 200, _HEADERS, _MEDIA_TYPE)


@router.get("/browse/now", include_in_schema=False)
def now(request: Request) -> Response:
    """`{figures, entries}` of this moment, for who cannot listen: as the events tell them."""
    telling: Telling = remembered(request, "live", _teller(request))
    body = {"figures": telling.figures, "entries": [entry for _, entry in telling.entries]}
    return answer(request, body, seconds=_POLL_SECONDS)


def live_of(request: Request) -> Live:
    """The listeners of the application that answers the request."""
    services = services_of(request)

    def make() -> Live:
        live = Live(_teller(request), most=services.settings.api_live_listeners)
        services.metrics.listeners.set_function(lambda: live.listeners)
        return live

    return belonging(request.app, "live", make)


def end_live(app: FastAPI) -> None:
    """End every stream of events in order, so that a server that stops need not wait for them."""
    live: Live | None = getattr(app.state, "live", None)
    if live is not None:
        live.end()


def _teller(request: Request) -> Callable[[], Telling]:
    workplace, counts = services_of(request).workplace, upkeep_of(request).counts

    def tell() -> Telling:
        counts.ask(wait_seconds=0)
        seen = read_live(workplace)
        return Telling(live_figures(seen.figures), activity_entries(seen.activity))

    return tell
