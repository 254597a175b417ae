"""HEAD wherever there is GET, and 405 with an `Allow` for what a path does not know (RFC 9110, 9.1 and 15.5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from shelter_pipeline.api.contract import allowed_methods, documents
from shelter_pipeline.api.errors import method_not_allowed

IS_HEAD = "shelter.is_head"  # in the scope of a GET that stands for a HEAD: no answer without end
Document = Callable[[], Mapping[str, Any]]


class KnownMethods:
    """ASGI middleware: what a path does not know is refused as that, whatever else is wrong with it."""

    def __init__(self, app: ASGIApp, document: Document) -> None:
        self._app = app
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what the path knows, and what the document does not speak of."""
        if scope["type"] == "http":
            known = allowed_methods(self._document(), scope["path"])
            if known and scope["method"] not in known:
                await method_not_allowed(known)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Heads:
    """ASGI middleware just outside the routes: a HEAD is answered as the GET of its path."""

    def __init__(self, app: ASGIApp, document: Document) -> None:
        self._app = app
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for what the caller means. The server leaves the body out of an answer to HEAD by itself."""
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or documents(self._document(), "HEAD", scope["path"])
        ):
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET", IS_HEAD: True}
        await self._app(asked, receive, send)
        if "route" in asked:
            scope["route"] = asked["route"]
