"""The evidence of a loss in sentences: who looked when, what was answered, what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shelter_pipeline.domain.losses import DEAD, KINDS, REPLACED, STATES
from shelter_pipeline.domain.verdicts import REASONS

_GONE = ("suspected", "confirmed", "withheld")


def evidence_told(loss: Mapping[str, Any]) -> list[str]:
    """What speaks for a loss, one sentence each, in the order in which it happened.

    `loss` has `kind, state, url, suspected_at, last_missed_at, misses, decided_at, moved_to,
    last_seen_at, evidence`; whatever it does not know is left out. Words of portals, hosts and
    people in it are theirs.
    """
    told = _of_link(loss) if loss["url"] else _of_dataset(loss)
    return [KINDS[loss["kind"]], *told, *_decided(loss), STATES[loss["state"]]]


def headline(loss: Mapping[str, Any]) -> str:
    """What a reader must know first: whether it is gone, and whether it survives here.

    >>> headline({"state": "confirmed", "holding": "whole", "files": 2, "held_files": 2, "url": None})
    'Gone, and we have it'
    """
    if loss["state"] not in _GONE:
        return "Back again" if loss["state"] == "recovered" else "Was not lost"
    gone = "Gone" if loss["state"] == "confirmed" else "Missing"
    if loss["holding"] == "whole":
        return f"{gone}, and we have it"
    if loss["holding"] == "part":
        return f"{gone}, and we have {loss['held_files']:,} of {loss['files']:,} files"
    return f"{gone}, and we do not have it"


def _of_dataset(loss: Mapping[str, Any]) -> Iterator[str]:
    evidence = loss["evidence"]
    if loss["last_seen_at"]:
        yield f"The last harvest that still found it began on {_day(loss['last_seen_at'])}."
    looks = f"{_times(loss, 'complete harvest')} did not find it{_last(loss)}"
    yield f"It has been missing since {_day(loss['suspected_at'])}: {looks}."
    if evidence.get("asked") is False:
        yield "Asked for it by its name, the portal did not know it either."
    if loss["kind"] == "moved" and loss["moved_to"]:
        yield f"Another dataset seems to have taken its place, for {evidence.get('because', 'it came later')}."


def _of_link(loss: Mapping[str, Any]) -> Iterator[str]:
    evidence = loss["evidence"]
    reason = str(evidence.get("reason") or "")
    answer = (
        DEAD.get(reason) or REPLACED.get(reason) or (REASONS[reason].sentence if reason in REASONS else "")
    )
    status = evidence.get("status")
    if answer:
        yield f"{answer} (HTTP status {status}.)" if isinstance(status, int) else answer
    yield f"It has failed since {_day(loss['suspected_at'])}: {_times(loss, 'look')} found it so{_last(loss)}."
    final = evidence.get("final_url")
    if final and final != loss["url"]:
        yield f"The server leads on to {final}."


def _decided(loss: Mapping[str, Any]) -> Iterator[str]:
    evidence = loss["evidence"]
    if loss["state"] == "withheld" and evidence.get("breaker"):
        of = (
            "the whole portal"
            if evidence["breaker"] == "portal"
            else f"the organization {evidence['breaker']}"
        )
        yield f"Too much of {of} vanished at the same time to be believed at once."
    for decision in evidence.get("decisions") or ():
        day = str(decision.get("at"))[:10]
        yield f"A person decided on {day} that it is {decision.get('state')}: {decision.get('why')}"
    if loss["state"] == "recovered" and loss["decided_at"]:
        yield f"It was found again on {_day(loss['decided_at'])}."


def _times(loss: Mapping[str, Any], what: str) -> str:
    count = int(loss["misses"])
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _last(loss: Mapping[str, Any]) -> str:
    return f", the last on {_day(loss['last_missed_at'])}" if loss["misses"] > 1 else ""


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
