"""What the two families of ArcGIS share: the exports that Hub makes of items, and errors that come with status 200."""

from __future__ import annotations

from collections.abc import Iterator

from shelter_pipeline.discovery.families.answers import mapping, shown, whole
from shelter_pipeline.discovery.families.readings import file_lead, walled
from shelter_pipeline.discovery.leads import Lead, Reading
from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import Json

HUB = "https://hub.arcgis.com/api"
# ArcGIS REST API, "Error messages".
_LOGIN_CODES = frozenset({401, 403, 498, 499})
_NO_SUCH_THING = frozenset({400, 404})
_SERVER_FAULT = 500
_MEDIA_TYPES = {"csv": "text/csv", "geojson": "application/geo+json"}


def exports(item: str, layer: int, *, label: str, has_geometry: bool) -> Iterator[Lead]:
    """A table as CSV; of a layer with geometry the GeoJSON too, since a CSV holds no lines and no polygons."""
    for form in ("csv", "geojson") if has_geometry else ("csv",):
        yield file_lead(
            f"{HUB}/download/v1/items/{item}/{form}?layers={layer}&redirect=true",
            form,
            why="arcgis-hub-download",
            label=label,
            media_type=_MEDIA_TYPES[form],
        )


def refused(error: Json) -> Reading:
    """The reading of an error that asks for a login. Raises the ShelterError that any other one means."""
    told = mapping(error)
    code, message = whole(told.get("code")), shown(told.get("message")) or "no reason is given"
    text = f"ArcGIS answers {code or 'an error'}: {message}"
    if code in _LOGIN_CODES:
        return walled(text)
    if code is not None and code >= _SERVER_FAULT:
        raise TransientError(text, reason="server-error")
    raise PermanentError(text, reason="not-found" if code in _NO_SUCH_THING else "http-status")
