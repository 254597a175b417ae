"""The Action API of CKAN over the rescued catalog, for whoever has tools for it.

The envelope, the statuses and the words of failures are CKAN's, for its clients read
them. Reading needs no token, and a key that an old client sends along opens nothing and
spoils nothing. Writing is refused in CKAN's own way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from shelter_pipeline.api.errors import RETRY_SECONDS, CkanFailure
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.upkeep import UPKEEP_SECONDS, Upkeeps, Upkept
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.domain.records import Json, canonical_json
from shelter_pipeline.operations.ckan_actions import ACTIONS, perform
from shelter_pipeline.operations.ckan_call import ActionFailure
from shelter_pipeline.operations.workplace import Workplace

router = APIRouter(tags=["ckan"])
_BY_WORDS = frozenset({"package_autocomplete", "package_search"})  # these look into the words of datasets
_JSON = "application/json;charset=utf-8"
Action = Annotated[
    str,
    Path(
        description="Those that only read; whatever else there is in CKAN is refused in its own way.",
        json_schema_extra={"enum": sorted(ACTIONS)},
    ),
]
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["help", "success", "result"],
    "properties": {"help": {"type": "string"}, "success": {"const": True}, "result": {}},
}
_ENVELOPE: dict[str, Any] = {"content": {"application/json": {"schema": _SCHEMA}}}
_FAILURE: dict[str, Any] = {"model": CkanFailure}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the action gives, under `result`.", **_ENVELOPE},
    400: {
        "description": "A query or a body that cannot be read, or an action that is not known: then a JSON text.",
        "model": CkanFailure | str,
    },
    403: {"description": "A writing action.", **_FAILURE},
    404: {"description": "There is no such package, resource or organization.", **_FAILURE},
    409: {"description": "Parameters that cannot be used, each with what is wrong with it.", **_FAILURE},
    503: {"description": "The catalog does not answer at the moment.", **_FAILURE},
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        }
    }
}


@router.get("/api/3/action/{action}", response_class=Response, responses=_ANSWERS)
@router.get("/api/action/{action}", response_class=Response, responses=_ANSWERS, include_in_schema=False)
def call_by_query(action: Action, request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """Call an action of CKAN's API: `package_list`, `package_show`, `package_search` and the like.

    Parameters stand in the query, as CKAN's documentation has them.
    """
    return _answer(serving.workplace, upkeep, action, _query_of(request), base_of(request))


@router.post("/api/3/action/{action}", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
@router.post("/api/action/{action}", response_class=Response, responses=_ANSWERS, include_in_schema=False)
async def call_by_body(action: Action, request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """Call an action of CKAN's API with its parameters as JSON or as a form: what `ckanapi` does."""
    try:
        parameters = _query_of(request) | _parameters_in(
            await request.body(), request.headers.get("content-type")
        )
    except (ValueError, RecursionError) as error:
        problem = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        return _written(f"Bad request - JSON Error: Error decoding JSON data. Error: {problem}"[:500], 400)
    return await run_in_threadpool(_answer, serving.workplace, upkeep, action, parameters, base_of(request))


def _query_of(request: Request) -> dict[str, Json]:
    """The parameters of a query; one that comes several times is a list."""
    query = request.query_params
    return {
        name: values[0] if len(values := query.getlist(name)) == 1 else list[Json](values) for name in query
    }


def _parameters_in(body: bytes, content_type: str | None) -> dict[str, Json]:
    """The parameters in a body. ValueError for one that is neither a form nor a JSON object."""
    if not body.strip():
        return {}
    said = (content_type or "").partition(";")[0].strip().lower()
    # Clients that follow CKAN's old examples send JSON and call it a form.
    if said == "application/x-www-form-urlencoded" and not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004 - as one that is no JSON
    return value


def _answer(
    workplace: Workplace, upkeep: Upkeeps, action: str, parameters: dict[str, Json], base: str
) -> Response:
    if action in _BY_WORDS:
        upkeep.words.ask(wait_seconds=UPKEEP_SECONDS)
    help_url = f"{base}/api/3/action/help_show?name={action}"
    try:
        result = perform(workplace, action, parameters, base)
        if isinstance(result, Iterator):
            return _streamed(help_url, result)
    except ActionFailure as failure:
        return _failed(help_url, failure.error, failure.status)
    except KeyError:
        return _written(f"Bad request - Action name not known: {action[:100]}", 400)
    except CatalogAwayError:
        error = {
            "__type": "Search Index Error",
            "message": "the catalog does not answer at the moment; try again soon",
        }
        return _failed(help_url, error, 503, {"Retry-After": str(RETRY_SECONDS)})
    return _written({"help": help_url, "success": True, "result": result}, 200)


def _failed(help_url: str, error: Json, status: int, headers: dict[str, str] | None = None) -> Response:
    return _written({"help": help_url, "success": False, "error": error}, status, headers)


def _written(value: Json, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(canonical_json(value), status, headers, _JSON)


def _streamed(help_url: str, portions: Iterator[list[str]]) -> Response:
    """A list of any length, a portion at a time; the first is read now, so that what is away is said so."""
    first = next(portions, [])
    return StreamingResponse(_list(help_url, chain([first], portions)), media_type=_JSON)


def _list(help_url: str, portions: Iterator[list[str]]) -> Iterator[bytes]:
    yield b'{"help":' + canonical_json(help_url) + b',"success":true,"result":['
    separator = b""
    for portion in filter(None, portions):
        yield separator + canonical_json(portion)[1:-1]
        separator = b","
    yield b"]}"
