"""Joining an API, once: the name and the token it gives stay in the folder, and are used from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.node_protocol import GB, NODE_NAME
from shelter_pipeline.node.api_client import Api, ApiAway, ApiDenied, ApiRefusal
from shelter_pipeline.node.contact import Contact, Patience, Tell
from shelter_pipeline.node.folder import Identity, NodeFolder
from shelter_pipeline.node.plan import Stops

_CONFLICT = 409
_PATIENCE_OF_ONCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Introduction:
    """How a node introduces itself. `token` is one that an operator has given out: an invitation, or `name`'s own."""

    api: str
    name: str
    contact: str
    given_bytes: int
    token: str | None
    version: str
    user_agent: str

    def client(self, token: str | None) -> Api:
        """The API, asked as whoever has this token."""
        return Api(self.api, token, version=self.version, user_agent=self.user_agent)


def identity_of(
    folder: NodeFolder, introduction: Introduction, tell: Tell, stops: Stops, *, once: bool
) -> Identity | None:
    """Who we are to this API: as the folder says, or by joining now; None if asked to stop before it answered.

    Waits for an API that is away; with `once` for a minute. Raises SetupError where the folder
    belongs to another API or name, and ApiDenied where the API does not want us.
    """
    known = folder.identity()
    if known is not None and not known.left:
        return _known(folder, known, introduction)
    identity = _join(introduction, tell, stops, once=once)
    if identity is not None:
        folder.remember(identity)
        tell("joined", node_id=identity.node_id, api=identity.api)
    return identity


def _known(folder: NodeFolder, known: Identity, introduction: Introduction) -> Identity:
    if known.api != introduction.api:
        raise SetupError(
            f"{folder.path} belongs to a node of {known.api}; give another --folder to help {introduction.api}",
            reason="bad-setting",
        )
    if introduction.name and introduction.name != known.node_id:
        raise SetupError(
            f"{folder.path} belongs to the node {known.node_id}; give another --folder for {introduction.name}",
            reason="bad-setting",
        )
    if introduction.token is not None and introduction.token != known.token:
        known = replace(known, token=introduction.token)
        folder.remember(known)
    return known


def _join(introduction: Introduction, tell: Tell, stops: Stops, *, once: bool) -> Identity | None:
    if introduction.name and not NODE_NAME.match(introduction.name):
        raise SetupError(
            f"--name: {introduction.name[:80]!r} cannot be a name; letters, digits, dots, dashes, 64 at most",
            reason="bad-setting",
        )
    body: dict[str, Any] = {"version": introduction.version, "space_gb": introduction.given_bytes / GB}
    body |= {"name": introduction.name} if introduction.name else {}
    body |= {"contact": introduction.contact} if introduction.contact else {}
    api = introduction.client(introduction.token)
    contact, patience = Contact(api, tell), Patience()
    while not stops.asked.is_set():
        try:
            answer, _ = api.ask("POST", "/nodes", body)
        except ApiAway as error:
            contact.lost(error)
            if once and contact.away_seconds > _PATIENCE_OF_ONCE_SECONDS:
                raise SetupError(str(error), reason="api-away") from error
            patience.failed(error)
            stops.asked.wait(patience.left_seconds)
        except ApiDenied as error:
            if introduction.token and introduction.name and error.reason == "denied":
                return _with_own_token(introduction)
            raise ApiDenied(
                f"{error} Ask its operators for a token, and give it with --token and --name."
            ) from error
        except ApiRefusal as error:
            if introduction.token and error.status == _CONFLICT:
                return _with_own_token(introduction)
            hint = "; choose another --name" if error.status == _CONFLICT else ""
            raise SetupError(
                f"the API does not take this node: {error}{hint}", reason=error.reason
            ) from error
        else:
            contact.heard()
            return _joined(introduction.api, answer)
    return None


def _with_own_token(introduction: Introduction) -> Identity:
    """A node that is there already, in an empty folder: the first heartbeat shows whether the token is its own."""
    return Identity(introduction.api, introduction.name, introduction.token)


def _joined(api: str, answer: Any) -> Identity:
    node_id = answer.get("node_id") if isinstance(answer, dict) else None
    if not isinstance(node_id, str) or not NODE_NAME.match(node_id):
        raise SetupError(f"what answers at {api} is not Shelter's API", reason="bad-setting")
    token = answer.get("token")
    return Identity(
        api,
        node_id,
        token if isinstance(token, str) else None,
        _seconds(answer.get("lease_seconds"), 600.0),
        _seconds(answer.get("heartbeat_seconds"), 200.0),
    )


def _seconds(value: Any, otherwise: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if usable else otherwise
