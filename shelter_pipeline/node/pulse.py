"""The heartbeat: it keeps leases alive, hears which are lost, and what else the API wants, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.node_protocol import GB, MOST_TOKENS
from shelter_pipeline.node.api_client import Api, ApiAway, ApiDenied, ApiRefusal, NodeTooOld
from shelter_pipeline.node.contact import Contact, Patience, Tell
from shelter_pipeline.node.journal import Journal

_BEATS_A_LEASE = 3
_LEAST_SECONDS, _MOST_SECONDS = 0.1, 600.0
_LONGEST_PAUSE_SECONDS = 20.0
_ANSWER_SECONDS = 20.0
_NOT_THERE = 404


class Pulse:
    """Beats until it is closed. `error` is what a person has to hear, and ends it."""

    def __init__(
        self,
        api: Api,
        node_id: str,
        journal: Journal,
        contact: Contact,
        tell: Tell,
        *,
        every_seconds: float,
        free_bytes: Callable[[], int],
        wanted: Callable[[], None],
        unwanted: Callable[[], frozenset[int]],
    ) -> None:
        """`wanted` is called when the API wants proofs; leases that are `unwanted` are left to run out."""
        self.error: ShelterError | None = None
        self.has_beaten = threading.Event()
        self._api = api
        self._node_id = node_id
        self._journal = journal
        self._contact = contact
        self._tell = tell
        self._every = _within(every_seconds)
        self._free_bytes = free_bytes
        self._wanted = wanted
        self._unwanted = unwanted
        self._lost: set[int] = set()
        self._message: str | None = None
        self._closing = threading.Event()
        self._patience = Patience(longest_seconds=_LONGEST_PAUSE_SECONDS)
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """The first beat is at once."""
        self._thread.start()

    def close(self) -> None:
        """Beat no more."""
        self._closing.set()
        self._thread.join(_ANSWER_SECONDS)

    def is_lost(self, token: int) -> bool:
        """Whether the API has said that this lease is over."""
        return token in self._lost

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                pause = self._beat()
            except ApiAway as error:
                self._contact.lost(error)
                self._patience.failed(error)
                pause = min(self._patience.left_seconds, self._every)
            except TransientError:  # the journal, for now
                pause = min(self._every, _LONGEST_PAUSE_SECONDS)
            except (ApiDenied, NodeTooOld) as error:
                self.error = error
                return
            except ApiRefusal as error:
                if error.status == _NOT_THERE:
                    self.error = ApiDenied(f"the API does not know this node any more: {error}")
                    return
                self._tell("refused", what="/heartbeat", message=str(error))
                pause = self._every
            self._closing.wait(pause)

    def _beat(self) -> float:
        live, begun = self._journal.live_tokens()
        unwanted = self._unwanted()
        tokens = [token for token in live if token not in unwanted]
        begun_now = set(begun)
        for first in range(0, max(len(tokens), 1), MOST_TOKENS):
            portion = tokens[first : first + MOST_TOKENS]
            body = {
                "node_id": self._node_id,
                "tokens": portion,
                "begun": [token for token in portion if token in begun_now],
                "free_space_gb": max(self._free_bytes(), 0) / GB,
            }
            answer, _ = self._api.ask("POST", "/heartbeat", body, seconds=_ANSWER_SECONDS)
            self._hear(answer if isinstance(answer, dict) else {})
        self._patience.worked()
        self._contact.heard()
        self.has_beaten.set()
        return self._every

    def _hear(self, answer: dict[str, Any]) -> None:
        lost = [token for token in answer.get("lost") or [] if isinstance(token, int)]
        if lost:
            self._lost.update(lost)
            self._journal.lose(lost)
            self._tell("lost", files=len(lost))
        every, lease = answer.get("heartbeat_seconds"), answer.get("lease_seconds")
        told = [every] if isinstance(every, int | float) else []
        told += [lease / _BEATS_A_LEASE] if isinstance(lease, int | float) else []
        if told:
            self._every = _within(min(told))
        if answer.get("challenges") or answer.get("uploads"):
            self._wanted()
        message = answer.get("message")
        if isinstance(message, str) and message and message != self._message:
            self._tell("message", message=message)
        self._message = message if isinstance(message, str) else None


def _within(seconds: float) -> float:
    return min(max(float(seconds), _LEAST_SECONDS), _MOST_SECONDS)
