"""HEAD wherever there is GET, and an `Allow` that names every method a path knows (RFC 9110, 9.1 and 10.2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shelter_pipeline.api.contract import allowed_methods, documents


class Methods:
    """ASGI middleware just outside the routes; `document` gives the OpenAPI document."""

    def __init__(self, app: ASGIApp, document: Callable[[], Mapping[str, Any]]) -> None:
        self._app = app
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for what the caller means. The server leaves the body out of an answer to HEAD by itself."""
        if scope["type"] != "http" or scope["method"] in ("GET", "POST"):
            await self._app(scope, receive, self._naming_methods(scope, send))
            return
        asked = scope
        if scope["method"] == "HEAD" and not documents(self._document(), "HEAD", scope["path"]):
            asked = {**scope, "method": "GET"}
        await self._app(asked, receive, self._naming_methods(scope, send))
        if "route" in asked:
            scope["route"] = asked["route"]

    def _naming_methods(self, scope: Scope, send: Send) -> Send:
        async def send_named(message: Message) -> None:
            if message.get("status") == HTTPStatus.METHOD_NOT_ALLOWED:
                known = allowed_methods(self._document(), scope["path"])
                if known:
                    MutableHeaders(scope=message)["Allow"] = ", ".join(known)
            await send(message)

        return send_named
