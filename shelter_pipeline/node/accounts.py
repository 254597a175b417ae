"""What of a node's work has to be told to the API, and what is given back: written down first, told afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.node.api_client import ApiDenied, NodeTooOld
from shelter_pipeline.node.blame import is_ours
from shelter_pipeline.node.contact import Contact, Tell
from shelter_pipeline.node.desk import Desk
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.journal import Journal
from shelter_pipeline.node.shift import End
from shelter_pipeline.vault.store import Blob

_TROUBLE_SECONDS = 60.0

Ended = tuple[dict[str, Any], Blob | None]


class Accounts:
    """Between a node's work, its journal and the API. Belongs to the node's main thread."""

    def __init__(
        self,
        journal: Journal,
        desk: Desk,
        contact: Contact,
        tell: Tell,
        *,
        is_lost: Callable[[int], bool],
        proof_wanted: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._desk = desk
        self._contact = contact
        self._tell = tell
        self._is_lost = is_lost
        self._proof_wanted = proof_wanted
        self._unsaved: list[Ended] = []
        self._urls: dict[int, str] = {}
        self._trouble_told_at = float("-inf")
        self.unwanted: frozenset[int] = frozenset()  # leases to be given back that are not written down yet
        self.owes_all = False  # the API may think us busy with work that is not known here any more
        self.troubles = 0  # files that were given back because of this machine

    @property
    def are_open(self) -> bool:
        """Whether the API has to hear something yet."""
        return bool(self._unsaved or self.unwanted or self._journal.unheard() or self._journal.returning())

    def enter(self, ends: Iterable[End], *, is_expected: bool) -> None:
        """Write down what has ended; with `is_expected` an interruption is no trouble, for we asked for it."""
        is_there = cache(self._contact.is_there)  # asked after all of them had ended, and once
        for end in ends:
            self._urls[end.item.token] = end.item.label
            saved = self._judged(end, is_there, is_expected=is_expected)
            if saved is not None:
                self._unsaved.append(saved)
        self.save()

    def save(self) -> None:
        """Write down what the disk would not take before; only what is written down is reported."""
        if not (self._unsaved or self.unwanted):
            return
        with self.minding_the_journal():
            self._journal.settle(self._unsaved, self._urls)
            self._unsaved = []
            self._journal.give_back(self.unwanted)
            self.unwanted = frozenset()

    def settle(self) -> None:
        """Tell the API what it has not heard."""
        self.save()
        if self.owes_all:
            self.owes_all = not self._desk.give_all_back()
            return
        self._desk.give_back()
        heard = self._desk.report()
        for result, outcome in heard:
            self._tell(
                "reported",
                url=self._urls.pop(result["token"], None) or result.get("final_url") or "",
                reason=result["reason"],
                outcome=outcome.get("outcome"),
                message=outcome.get("message"),
            )
        if any(outcome.get("proof") for _, outcome in heard):
            self._proof_wanted()

    def trouble(self, item: Item, reason: str, detail: str) -> None:
        """Give back what this machine cannot do, and take nothing new for a minute."""
        self.give_back([item.token])
        self.troubles += 1
        self._tell("given-back", url=item.label, reason=reason, detail=detail)
        self._desk.rest(_TROUBLE_SECONDS)

    def give_back(self, tokens: list[int]) -> None:
        """These are not to be done here."""
        self.unwanted |= frozenset(tokens)
        self.save()

    @contextmanager
    def minding_the_journal(self) -> Iterator[None]:
        """What the disk does not let us write down in this block is told, and is no reason to end.

        Whatever was not written down was not said either, or will be said again in the same words.
        """
        try:
            yield
        except TransientError as error:
            self._desk.rest(_TROUBLE_SECONDS)
            if time.monotonic() - self._trouble_told_at > _TROUBLE_SECONDS:
                self._trouble_told_at = time.monotonic()
                self._tell("journal-trouble", message=str(error))

    def _judged(self, end: End, is_there: Callable[[], bool], *, is_expected: bool) -> Ended | None:
        """What is to be reported of an end; None if it is this machine's own trouble, or nobody's any more."""
        item, result = end.item, end.result
        if isinstance(end.trouble, ApiDenied | NodeTooOld):
            raise end.trouble
        if result is None or is_ours(end.reason, is_there):
            if is_expected and end.reason == "interrupted":
                self.give_back([item.token])
            elif not self._is_lost(item.token):
                self.trouble(item, end.reason, end.detail)
            return None
        self._tell(
            "ended",
            url=item.label,
            purpose=item.purpose,
            verdict=result["verdict"],
            reason=result["reason"],
            status=result.get("status"),
            size=result.get("size"),
            sha256=result.get("sha256"),
        )
        return result, end.blob
