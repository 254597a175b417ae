"""The OpenAPI document, completed: what any request may get, and which requests need a token.

Routes declare what is special to them; what the guard, the limits and the protocol may
answer to everybody is added here, once, in the common shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shelter_pipeline.api.errors import CKAN_PATHS, CkanFailure, Failure, Problem
from shelter_pipeline.api.security import is_open, lets_locals_write
from shelter_pipeline.settings import Settings

_OF_EVERYBODY = (400, 401, 408, 429, 431, 503)
_OF_PARAMETERS = (422,)
_OF_WRITES = (403, 409)
_OF_BODIES = (413, 415, 422)
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_FAILURE, _OF_CKAN = ({"$ref": f"#/components/schemas/{model.__name__}"} for model in (Failure, CkanFailure))
_OF_VERSIONS = (
    "The node's program is too old: older than `minimum_version`, by its `Shelter-Node-Version` header (PEP 440), or"
    " when it registers by the `version` of its body. Programs that are not ours leave both out."
)
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_DESCRIPTION = """\
What is rescued, what is lost, who helps, and the work of those who do.

Reading is open to everybody. A request that writes needs a token, `Authorization: Bearer shelter_…`, unless it
comes from a program on the very machine and the API listens on loopback alone. An answer that is not what was asked
for is always `{"error": slug, "message": sentence, "problems": [...]}`; after 429 and 503, `Retry-After` says when to
come again.
"""


def complete_contract(app: FastAPI, settings: Settings) -> None:
    """Make `app.openapi()` the whole contract."""

    @cache
    def whole() -> dict[str, Any]:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_DESCRIPTION,
            routes=app.routes,
        )
        _complete(document, settings)
        return document

    app.openapi = whole  # type: ignore[method-assign]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of a document: its path, its method in small letters, what is said of it."""
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, method, operation


def allowed_methods(document: Mapping[str, Any], path: str) -> list[str]:
    """The methods that a path knows; none if there is no such path."""
    found = {method for template, method, _ in operations(document) if _pattern(template).fullmatch(path)}
    return sorted({method.upper() for method in found} | ({"HEAD"} if "get" in found else set()))


def documents(document: Mapping[str, Any], method: str, path: str) -> bool:
    """Whether the document itself has this method at this path."""
    return any(
        known.upper() == method and _pattern(template).fullmatch(path)
        for template, known, _ in operations(document)
    )


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What matches the paths of a template.

    >>> bool(_pattern("/nodes/{name}/sign-off").fullmatch("/nodes/a/sign-off"))
    True
    """
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", template)))


def _complete(document: dict[str, Any], settings: Settings) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (Failure, Problem, CkanFailure):
        schemas.setdefault(
            model.__name__,
            model.model_json_schema(ref_template="#/components/schemas/{model}") | {"$defs": {}},
        ).pop("$defs", None)
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`shelter token create`, or POST /nodes.",
        }
    }
    for path, method, operation in operations(document):
        needs_token = not is_open(method.upper(), path, settings)
        for status in _statuses(operation, needs_token):
            _document(operation["responses"], status, _OF_CKAN if path.startswith(CKAN_PATHS) else _FAILURE)
        if "426" in operation["responses"]:
            operation["responses"]["426"]["description"] = _OF_VERSIONS
        if needs_token:
            operation["security"] = [{"token": []}, *([{}] if lets_locals_write(settings) else [])]


def _statuses(operation: Mapping[str, Any], needs_token: bool) -> Iterator[int]:
    yield from _OF_EVERYBODY
    if needs_token:
        yield from _OF_WRITES
    if operation.get("parameters"):
        yield from _OF_PARAMETERS
    if operation.get("requestBody"):
        yield from _OF_BODIES
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        yield 404


def _document(responses: dict[str, Any], status: int, failure: Mapping[str, str]) -> None:
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:  # FastAPI's own shape is not the one that is sent
        responses.pop("422", None)
    responses.setdefault(
        str(status),
        {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": dict(failure)}},
            **({"headers": _RETRY_AFTER} if status in (429, 503) else {}),
        },
    )
