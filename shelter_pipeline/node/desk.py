"""What a node and the API settle between them: work taken, given back and reported, each thing once.

A question that changes something is written down before it is asked, with a key, and asked
again in the same words until it is answered: an answer that got lost doubles nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any, Final

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.node_protocol import GB, MOST_RESULTS
from shelter_pipeline.node.api_client import Api, ApiAway, ApiRefusal
from shelter_pipeline.node.contact import Contact, Patience, Tell
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.journal import Journal, Letter

_IDLE_SECONDS, _MOST_IDLE_SECONDS = 30.0, 600.0
_LIMIT = 20
_MOST_RETURNED = 100
_NOT_THERE = 404
_REFUSED: Final = object()


class Desk:
    """One node's dealings with its API. Belongs to the node's main thread."""

    def __init__(self, api: Api, node_id: str, journal: Journal, contact: Contact, tell: Tell) -> None:
        self._api = api
        self._node_id = node_id
        self._journal = journal
        self._contact = contact
        self._tell = tell
        self._patience = Patience()
        self._idle = Patience()
        self.refused = 0  # results that the API did not take

    @property
    def wait_seconds(self) -> float:
        """Seconds until the API is worth asking for work again."""
        return max(self._patience.left_seconds, self._idle.left_seconds)

    def rest(self, seconds: float) -> None:
        """Ask for no work for so long."""
        self._idle.rest(seconds)

    def take_work(
        self, free_bytes: int, *, rate: int | None, uptime_hours: float | None
    ) -> list[Item] | None:
        """Work that fits: an empty list if there is none now, None if the API could not be asked."""
        if self.wait_seconds:
            return None
        asking = self._asking(free_bytes, rate, uptime_hours)
        answer = self._ask("/allocate", asking["body"], key=asking["key"])
        if answer is None:
            return None
        raw, retry_after = answer
        items = self._readable(raw)
        self._journal.take(item for item, _ in items)
        if not items:
            self._idle.rest(min(_IDLE_SECONDS if retry_after is None else retry_after, _MOST_IDLE_SECONDS))
        return [item for _, item in items]

    def report(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Tell what has ended; returns the results that were heard, each with what the API said to it."""
        heard: list[tuple[dict[str, Any], dict[str, Any]]] = []
        while not self._patience.left_seconds and (letter := self._journal.letter(MOST_RESULTS)) is not None:
            body = {"node_id": self._node_id, "results": list(letter.results)}
            answer = self._ask("/complete", body, key=letter.key)
            if answer is None:
                break
            if answer[0] is _REFUSED and len(letter.results) > 1:
                self._journal.split(letter)  # one of them may be at fault, and must not cost the others
                continue
            heard += self._heard(letter, answer[0])
        return heard

    def give_back(self, *, seconds: float = 60.0) -> bool:
        """Give back what is not to be done here; whether nothing is left to be given back."""
        while returning := self._journal.returning():
            chosen = list(returning)[:_MOST_RETURNED]
            if self._patience.left_seconds:
                return False
            body = {"node_id": self._node_id, "asset_ids": chosen}
            if self._ask("/release", body, seconds=seconds) is None:
                return False
            self._journal.lose([returning[asset_id] for asset_id in chosen])
        return True

    def give_all_back(self) -> bool:
        """Give back whatever the API thinks is in our hands: nothing of it is known here."""
        return self._ask("/release", {"node_id": self._node_id, "all": True}) is not None

    def hurry(self) -> None:
        """Whatever was agreed on waiting, the next question is asked at once."""
        self._patience.worked()

    def _asking(self, free_bytes: int, rate: int | None, uptime_hours: float | None) -> dict[str, Any]:
        """The question for work; one whose answer was never heard is asked again while its leases may live."""
        asking: dict[str, Any] | None = self._journal.fact("asking")
        if asking is None or not 0 <= time.time() - asking["at"] < asking["lease_seconds"]:
            body: dict[str, Any] = {
                "node_id": self._node_id,
                "free_space_gb": max(free_bytes, 0) / GB,
                "limit": _LIMIT,
            }
            if rate is not None:
                body["bandwidth_mbps"] = rate * 8 / 1e6
            if uptime_hours is not None:
                body["uptime_hours"] = round(uptime_hours, 3)
            lease = self._journal.fact("lease_seconds") or 600.0
            asking = {"key": uuid.uuid4().hex, "body": body, "at": time.time(), "lease_seconds": lease}
            self._journal.note("asking", asking)
        return asking

    def _ask(
        self, path: str, body: dict[str, Any], *, key: str | None = None, seconds: float = 60.0
    ) -> tuple[Any, float | None] | None:
        """The answer, or None if there is none now. Raises what a person must hear."""
        try:
            answer = self._api.ask("POST", path, body, key=key, seconds=seconds)
        except ApiAway as error:
            self._patience.failed(error)
            self._contact.lost(error)
            return None
        except ApiRefusal as error:
            return self._refused(path, error)
        self._patience.worked()
        self._contact.heard()
        return answer

    def _refused(self, path: str, error: ApiRefusal) -> tuple[Any, float | None]:
        """A question that is refused as it stands would be refused again: it is not repeated."""
        self._patience.worked()
        if (
            path != "/release" or error.status != _NOT_THERE
        ):  # what is not ours any more is as good as given back
            self._tell("refused", what=path, message=str(error))
        if path == "/allocate":
            self._idle.rest(_IDLE_SECONDS)
        return _REFUSED, None

    def _readable(self, raw: Any) -> list[tuple[dict[str, Any], Item]]:
        found = []
        for one in raw if isinstance(raw, list) else []:
            try:
                found.append((one, Item.of(one)))
            except DamagedError as error:  # its lease runs out by itself
                self._tell("unreadable", message=str(error))
        return found

    def _heard(self, letter: Letter, answer: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        said = _by_token(answer)
        if isinstance(answer, dict) and isinstance(answer.get("trust"), int | float):
            self._journal.note("trust", float(answer["trust"]))
        heard = [(result, said.get(result["token"], {})) for result in letter.results]
        for result, outcome in heard:
            if outcome.get("outcome") not in ("settled", "late"):
                self.refused += 1
                self._tell(
                    "not-taken",
                    url=result.get("final_url") or "",
                    message=str(outcome.get("message") or "no answer"),
                )
        self._journal.acknowledge(letter)
        return heard


def _by_token(answer: Any) -> dict[int, dict[str, Any]]:
    results: Sequence[Any] = answer.get("results") or [] if isinstance(answer, dict) else []
    return {
        one["token"]: one for one in results if isinstance(one, dict) and isinstance(one.get("token"), int)
    }
