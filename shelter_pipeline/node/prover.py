"""Showing that what was reported is held: files sent when they are asked for, challenges answered from the bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from shelter_pipeline.domain.challenges import challenge_answer
from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.node.api_client import Api, ApiAway, ApiDenied, ApiRefusal, NodeTooOld
from shelter_pipeline.node.bandwidth import Bandwidth
from shelter_pipeline.node.contact import Contact, Patience, Tell
from shelter_pipeline.node.journal import Journal
from shelter_pipeline.node.space import GivenSpace
from shelter_pipeline.vault.store import digest_path, is_digest

_IDLE_SECONDS = 300.0  # heartbeats say when there is something to do; this is for those that got lost
_PIECE_BYTES = 256 * 1024
_READ_AGAIN_SECONDS = 7 * 86_400.0
_MOST_NONCE, _MOST_RANGES = 1024, 10_000

MayUpload = Callable[[datetime | None], bool]


class Prover:
    """Answers what the API wants proved, on a thread of its own once it is started."""

    def __init__(
        self,
        api: Api,
        node_id: str,
        journal: Journal,
        store: GivenSpace,
        bandwidth: Bandwidth,
        contact: Contact,
        tell: Tell,
        *,
        may_upload: MayUpload,
    ) -> None:
        """`may_upload` is asked whether a file that is wanted until then (None: for ever) may be sent now."""
        self._api = api
        self._query = f"?node_id={quote(node_id, safe='')}"
        self._node_id = node_id
        self._journal = journal
        self._store = store
        self._bandwidth = bandwidth
        self._contact = contact
        self._tell = tell
        self._may_upload = may_upload
        self._hopeless: set[tuple[str, int]] = set()
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._round = threading.Lock()
        self._patience = Patience()
        self._thread = threading.Thread(target=self._run, name="proofs", daemon=True)

    def start(self) -> None:
        """Look at once what is wanted, and again whenever it is woken."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """There is something to be proved."""
        self._woken.set()

    def close(self, seconds: float = 10.0) -> None:
        """Break off what is being sent, and end."""
        self._closing.set()
        self._woken.set()
        self._thread.join(seconds)

    def prove_all(self) -> bool:
        """Do all that is wanted now; whether nothing of it is left to be done."""
        with self._round:
            try:
                return self._challenges() + self._uploads() == 0
            except (ApiDenied, NodeTooOld):
                return False  # the heartbeat hears it too, and says so
            except OSError as error:  # a disk that fails while it is read
                self._tell("no-proof", what="proof", sha256="", message=str(error))
                return False
            except TransientError as error:
                if isinstance(error, ApiAway):
                    self._contact.lost(error)
                self._patience.failed(error)
                return False

    def _run(self) -> None:
        while not self._closing.is_set():
            self._woken.wait(_IDLE_SECONDS)
            self._woken.clear()
            while not self._closing.is_set() and not self.prove_all():
                if not self._patience.left_seconds:
                    break
                self._closing.wait(self._patience.left_seconds)

    def _challenges(self) -> int:
        """Answer what is asked; returns how many could not be, and may be later."""
        answer, _ = self._api.ask("GET", f"/challenges{self._query}")
        left = 0
        for asked in _listed(answer, "challenges"):
            try:
                left += not self._answer(asked)
            except DamagedError as error:
                self._give_up("challenge", asked, str(error))
        self._patience.worked()
        return left

    def _answer(self, asked: dict[str, Any]) -> bool:
        number, sha256 = asked["id"], asked.get("sha256")
        if ("challenge", number) in self._hopeless:
            return True
        if not isinstance(sha256, str) or not is_digest(sha256):
            raise DamagedError("a challenge does not say of which file")
        body: dict[str, Any] = {"node_id": self._node_id}
        if self._is_held(sha256, asked.get("size")):
            body["answer"] = self._computed(asked, sha256)
        else:
            body["missing"] = True
        try:
            said, _ = self._api.ask("POST", f"/challenges/{number}", body)
        except ApiRefusal as error:
            self._give_up("challenge", asked, str(error))
            return True
        outcome = said.get("outcome") if isinstance(said, dict) else None
        if outcome == "passed":
            self._journal.mark(sha256, proved=True)
        self._hear(said)
        self._tell("challenge", sha256=sha256, outcome=outcome, missing="missing" in body)
        return True

    def _computed(self, asked: dict[str, Any], sha256: str) -> str:
        nonce, ranges = _nonce_of(asked), _ranges_of(asked)
        with self._store.open(sha256) as file:
            return challenge_answer(nonce, ((each, _pieces(file, *each)) for each in ranges))

    def _is_held(self, sha256: str, size: Any) -> bool:
        """Whether the bytes are here and right: read again if that was long ago, for rot is no lie."""
        found = self._store.size_of(sha256)
        if found is None or (isinstance(size, int) and found != size):
            return False
        read_at = self._journal.read_at(sha256)
        if read_at is not None and 0 <= time.time() - read_at < _READ_AGAIN_SECONDS:
            return True
        location = f"blobs/{digest_path(sha256)}"
        again = self._store.read_again(location)
        if again is not None and again[0] == sha256:
            self._journal.mark(sha256, read=True)
            return True
        self._store.quarantine(location)
        self._journal.miss(sha256)
        self._tell("rotten", sha256=sha256)
        return False

    def _uploads(self) -> int:
        """Send what is asked for and may be sent; returns how many failed, and may work later."""
        answer, _ = self._api.ask("GET", f"/uploads{self._query}")
        return sum(not self._upload(asked) for asked in _listed(answer, "uploads"))

    def _upload(self, asked: dict[str, Any]) -> bool:
        number, sha256 = asked["id"], asked.get("sha256")
        if ("upload", number) in self._hopeless or self._closing.is_set():
            return True
        if not self._may_upload(_moment(asked.get("deadline"))):
            return True
        size = self._store.size_of(sha256) if isinstance(sha256, str) and is_digest(sha256) else None
        if size is None or not isinstance(sha256, str):
            self._give_up("upload", asked, "it is not here")
            return True
        self._tell("upload-begun", sha256=sha256, size=size)
        try:
            with self._store.open(sha256) as file:
                metered = MeteredFile(file, size, self._bandwidth.take, self._closing.is_set)
                said = self._api.send(f"/uploads/{number}", metered, size)
        except ApiRefusal as error:
            if error.reason == "connection-lost":  # it did not arrive, which is nobody's refusal
                return False
            self._give_up("upload", asked, str(error))
            return True
        outcome = said.get("outcome") if isinstance(said, dict) else None
        if outcome == "counted":
            self._journal.mark(sha256, proved=True)
        self._hear(said)
        self._tell("upload", sha256=sha256, size=size, outcome=outcome)
        return True

    def _hear(self, said: Any) -> None:
        self._contact.heard()
        if isinstance(said, dict) and isinstance(said.get("trust"), int | float):
            self._journal.note("trust", float(said["trust"]))

    def _give_up(self, kind: str, asked: dict[str, Any], why: str) -> None:
        """This one proof cannot be given: asking again would not help."""
        self._hopeless.add((kind, asked["id"]))
        self._tell("no-proof", what=kind, sha256=str(asked.get("sha256"))[:64], message=why)


class MeteredFile:
    """A file on its way out, no faster than it may be sent; reading it fails once it is to be broken off."""

    def __init__(
        self, file: BinaryIO, size: int, take: Callable[[int], None], is_over: Callable[[], bool]
    ) -> None:
        self._file = file
        self._size = size
        self._take = take
        self._is_over = is_over

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE_BYTES):
            yield piece

    def read(self, count: int = -1) -> bytes:
        """The next bytes. Raises TransientError `interrupted`."""
        if self._is_over():
            raise TransientError("the file was not sent to its end", reason="interrupted")
        piece = self._file.read(count if 0 < count < _PIECE_BYTES else _PIECE_BYTES)
        self._take(len(piece))
        return piece


def _pieces(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    file.seek(first)
    left = last - first + 1
    while left > 0:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise DamagedError("a challenge asks for bytes beyond the end of the file")
        left -= len(piece)
        yield piece


def _listed(answer: Any, name: str) -> list[dict[str, Any]]:
    found = answer.get(name) if isinstance(answer, dict) else answer
    return [
        one
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and _is_id(one.get("id"))
    ]


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _nonce_of(asked: dict[str, Any]) -> bytes:
    text = asked.get("nonce")
    try:
        nonce = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        nonce = b""
    if not 0 < len(nonce) <= _MOST_NONCE:
        raise DamagedError("a challenge has no usable nonce")
    return nonce


def _ranges_of(asked: dict[str, Any]) -> list[tuple[int, int]]:
    ranges = asked.get("ranges")
    usable = (
        isinstance(ranges, list)
        and len(ranges) <= _MOST_RANGES
        and all(
            isinstance(one, list) and [*map(_is_id, one)] == [True, True] and one[0] <= one[1]
            for one in ranges
        )
    )
    if not usable:
        raise DamagedError("a challenge has ranges that cannot be read")
    return [(one[0], one[1]) for one in ranges or []]


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
