"""A volunteer's worker from its start to its end: take what fits, get it, keep it, report it, prove it.

What ended is in the journal before it is reported, and stays there until the API has heard it.
Only what a source did is reported: this machine's own troubles give the file back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from shelter_pipeline.domain.errors import DamagedError, ShelterError, TransientError
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.node.accounts import Accounts
from shelter_pipeline.node.api_client import Api
from shelter_pipeline.node.bandwidth import Bandwidth
from shelter_pipeline.node.contact import Contact, Tell
from shelter_pipeline.node.desk import Desk
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.journal import Journal
from shelter_pipeline.node.plan import Plan, Stops
from shelter_pipeline.node.prover import Prover
from shelter_pipeline.node.pulse import Pulse
from shelter_pipeline.node.shift import Shift
from shelter_pipeline.node.snapshot import Snapshot
from shelter_pipeline.node.space import GivenSpace

_CONNECTIONS = 20
_ENOUGH_IN_HAND = 10
_LEAST_FREE_BYTES = 1_000_000
_FULL_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_CANCEL_SECONDS = 5.0
_RELEASE_SECONDS, _HURRY_SECONDS = 20.0, 3.0
_PATIENCE_OF_ONCE_SECONDS = 120.0
_PROOF_ROUNDS = 5


class Worker:
    """One node at work, until it is asked to stop, or for one allocation."""

    def __init__(
        self,
        plan: Plan,
        api: Api,
        node_id: str,
        journal: Journal,
        store: GivenSpace,
        downloader: Downloader,
        politeness: Politeness,
        tell: Tell,
        stops: Stops,
        *,
        heartbeat_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._plan = plan
        self._api = api
        self._journal = journal
        self._store = store
        self._downloader = downloader
        self._politeness = politeness
        self._tell = tell
        self._stops = stops
        self._now = now
        self._bandwidth = Bandwidth(plan.rate)
        self._contact = Contact(api, tell)
        self._desk = Desk(api, node_id, journal, self._contact, tell)
        self._prover = Prover(
            api, node_id, journal, store, self._bandwidth, self._contact, tell, may_upload=self._may_upload
        )
        self._pulse = Pulse(
            api,
            node_id,
            journal,
            self._contact,
            tell,
            every_seconds=heartbeat_seconds,
            free_bytes=self._free_bytes,
            wanted=self._prover.wake,
            unwanted=lambda: self._accounts.unwanted,
        )
        self._accounts = Accounts(
            journal,
            self._desk,
            self._contact,
            tell,
            is_lost=self._pulse.is_lost,
            proof_wanted=self._prover.wake,
        )
        self._shift: Shift | None = None
        self._waiting: deque[Item] = deque()
        self._begun: set[int] = set()
        self._moved_before = 0
        self._has_asked = False
        self._is_asleep = False

    def run(self) -> bool:
        """Work; whether all went well, which is: what was taken came to an end that the API has heard.

        Raises ApiDenied and NodeTooOld when only a person can help.
        """
        self._take_stock()
        self._pulse.start()
        self._prover.start()
        try:
            finished = self._work_until_told()
            self._leave_tidy()
        finally:
            self._prover.close()
            self._pulse.close()
        return finished and not (self._accounts.troubles or self._accounts.are_open or self._desk.refused)

    def snapshot(self) -> Snapshot:
        """How it stands, for whoever looks; from any thread."""
        shift = self._shift
        return Snapshot(
            self._journal.kept(),
            self._store.used_bytes,
            self._plan.given_bytes,
            tuple(shift.running) if shift is not None else (),
            len(self._waiting),
            self._moved_before + (shift.moved_bytes if shift is not None else 0),
            self._journal.fact("trust"),
        )

    # The beginning

    def _take_stock(self) -> None:
        """What is here from before: files, work in hand, results that nobody has heard."""
        if self._journal.moved_aside is not None:
            self._accounts.owes_all = True
            self._tell("journal-damaged", path=str(self._journal.moved_aside))
        found = self._journal.know(self._store.blobs())
        if found:
            self._tell("found", files=found)
        for raw in self._journal.unfinished():
            try:
                self._waiting.append(Item.of(raw))
            except DamagedError:
                self._journal.give_back([raw["token"]])
        if self._waiting:
            self._has_asked = True
            self._tell("resumed", files=len(self._waiting))

    # The work

    def _work_until_told(self) -> bool:
        """Whether it came to its end by itself, and nothing that was asked of it is left."""
        while not (self._stops.asked.is_set() or self._is_finished()):
            self._check()
            if self._plan.hours.is_open(self._now()):
                with self._opened_shift() as shift:
                    self._work(shift)
            else:
                self._rest()
        return not self._stops.asked.is_set() and self._prove()

    def _work(self, shift: Shift) -> None:
        self._is_asleep = False
        while (
            not self._stops.asked.is_set()
            and not self._is_finished()
            and self._plan.hours.is_open(self._now())
        ):
            self._check()
            with self._accounts.minding_the_journal():
                self._accounts.settle()
                self._take_work(shift)
            self._feed(shift)
            if shift.running:
                self._collect(shift, _LOOK_SECONDS)
            else:
                self._stops.asked.wait(_LOOK_SECONDS)

    def _is_finished(self) -> bool:
        """Whether one allocation was asked for, and nothing of it is left."""
        if not self._plan.once or (self._shift is not None and self._shift.running):
            return False
        if self._contact.away_seconds > _PATIENCE_OF_ONCE_SECONDS:
            self._accounts.troubles += 1
            return True
        return self._has_asked and not (self._waiting or self._accounts.are_open)

    def _check(self) -> None:
        if self._pulse.error is not None:
            raise self._pulse.error

    def _rest(self) -> None:
        """Outside the hours: work goes back, heartbeats and challenges go on."""
        opens_in = self._plan.hours.seconds_to_open(self._now())
        if not self._is_asleep:
            self._is_asleep = True
            self._tell("hours-closed", seconds=round(opens_in))
            self._give_waiting_back()
        with self._accounts.minding_the_journal():
            self._accounts.settle()
        self._stops.asked.wait(min(max(opens_in, _LOOK_SECONDS), 1.0))

    def _take_work(self, shift: Shift) -> None:
        in_hand = len(self._waiting) + len(shift.running)
        done_asking = self._plan.once and self._has_asked
        if in_hand >= _ENOUGH_IN_HAND or done_asking or self._accounts.owes_all or self._desk.wait_seconds:
            return
        free = self._free_bytes()
        if free < _LEAST_FREE_BYTES:
            self._has_asked = True  # for one allocation this is the answer
            self._full()
            return
        close = self._plan.hours.seconds_to_close(self._now())
        hours = None if close is None else close / 3600
        items = self._desk.take_work(free, rate=self._plan.rate, uptime_hours=hours)
        if items is None:
            return
        self._has_asked = True
        self._waiting += items
        if items:
            self._tell("allocated", files=len(items), bytes=sum(item.expected_bytes for item in items))
        elif not in_hand:
            self._tell("no-work", seconds=round(self._desk.wait_seconds))

    def _feed(self, shift: Shift) -> None:
        """Begin what there is room for; what was in hand before waits for the API's word on its lease."""
        while self._waiting and self._pulse.has_beaten.is_set():
            item = self._waiting[0]
            is_lost = self._pulse.is_lost(item.token)
            fits = item.expected_bytes <= self._store.left_bytes() - shift.expected_bytes
            if not (is_lost or fits) and shift.running:
                return
            self._waiting.popleft()
            if fits and not is_lost:
                shift.begin(item)
            elif not is_lost:
                self._accounts.trouble(item, "no-space", "")

    def _collect(self, shift: Shift, seconds: float) -> None:
        """What has ended, and what has begun; waits a moment for the first."""
        ended = shift.ended(seconds)
        begun = {one.item.token for one in shift.running if one.begun} - self._begun
        if begun:
            self._note_begun(begun)
        self._accounts.enter(
            ended, is_expected=self._stops.asked.is_set() or not self._plan.hours.is_open(self._now())
        )
        self._begun -= {end.item.token for end in ended}
        if any(end.reason == "no-space" for end in ended):
            self._full()
            self._give_waiting_back()

    def _full(self) -> None:
        """No room: what was broken off long ago makes some, and nothing is taken for a minute."""
        self._tell("full", used=self._store.used_bytes, given=self._plan.given_bytes)
        self._store.forget_broken_off()
        self._desk.rest(_FULL_SECONDS)

    def _note_begun(self, begun: set[int]) -> None:
        try:
            self._journal.begin(begun)
        except TransientError:  # it is noted the next time
            return
        self._begun |= begun

    def _give_waiting_back(self) -> None:
        self._accounts.give_back([item.token for item in self._waiting])
        self._waiting.clear()

    # The end

    @contextmanager
    def _opened_shift(self) -> Iterator[Shift]:
        shift = Shift(
            self._api,
            self._store,
            self._downloader,
            self._politeness,
            self._bandwidth,
            connections=_CONNECTIONS,
            is_lost=self._pulse.is_lost,
        )
        with shift:
            self._shift = shift
            try:
                yield shift
                self._wind_down(shift)
            finally:
                self._moved_before += shift.moved_bytes
                self._shift = None

    def _wind_down(self, shift: Shift) -> None:
        """Begin nothing more, give what runs a moment, and break the rest off; then all of it goes back."""
        if self._stops.asked.is_set():
            self._tell("stopping")
        shift.forget_waiting()
        self._await(shift, self._plan.stop_seconds, self._stops.hurry.is_set)
        shift.break_off()
        self._await(shift, _CANCEL_SECONDS, lambda: False)
        self._accounts.give_back([one.item.token for one in shift.running])
        self._give_waiting_back()

    def _await(self, shift: Shift, seconds: float, is_enough: Callable[[], bool]) -> None:
        while seconds > 0 and not shift.is_idle and not is_enough():
            self._collect(shift, _LOOK_SECONDS)
            seconds -= _LOOK_SECONDS
        self._collect(shift, 0.0)

    def _leave_tidy(self) -> None:
        """Report and give back, without waiting long for an API that is away: the next start does the rest."""
        self._accounts.save()
        self._desk.hurry()
        hurried = self._stops.hurry.is_set()
        try:
            self._desk.give_back(seconds=_HURRY_SECONDS if hurried else _RELEASE_SECONDS)
            if not hurried:
                self._accounts.settle()
        except ShelterError as error:
            self._tell("refused", what="/release", message=str(error))
        if self._accounts.are_open:
            self._tell("unheard", files=self._journal.unheard())

    def _prove(self) -> bool:
        """Everything that is asked of this one allocation; whether nothing is left."""
        for _ in range(_PROOF_ROUNDS):
            if self._prover.prove_all():
                return True
            if self._stops.asked.wait(1.0):
                break
        return False

    def _free_bytes(self) -> int:
        """What may still be taken on: the room that is left, less what is on its way or waits."""
        shift = self._shift
        coming = sum(item.expected_bytes for item in tuple(self._waiting))
        return self._store.left_bytes() - coming - (shift.expected_bytes if shift is not None else 0)

    def _may_upload(self, deadline: datetime | None) -> bool:
        """Within the hours, and outside them if it would be too late when they begin."""
        now = self._now()
        wait = self._plan.hours.seconds_to_open(now)
        return wait == 0 or (deadline is not None and (deadline - now).total_seconds() < wait)
