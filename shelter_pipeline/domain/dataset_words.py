"""Where a dataset stands, in sentences for people who must be able to rely on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shelter_pipeline.domain.losses import KINDS, STATES
from shelter_pipeline.domain.verdict_words import VERDICTS

_ALL_KNOWN_HELD = "Every file that is known is held here; some of its links may lead to more."
_OPEN = ("confirmed", "suspected")


def where_dataset_stands(dataset: Mapping[str, Any]) -> list[str]:
    """Sentences on a dataset as `read_dataset` gives it: what is held, how well, and what its portal says of it now."""
    return list(_said(dataset))


def loss_of_dataset(losses: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The standing loss of the dataset itself, of those given newest first; None if it is not lost."""
    return next((loss for loss in losses if loss["asset_id"] is None and loss["state"] in _OPEN), None)


def explain_loss(loss: Mapping[str, Any]) -> str:
    """What is lost, and how sure that is; unknown words are given as they are."""
    kind, state = loss["kind"], loss["state"]
    return f"{KINDS.get(kind, kind)} {STATES.get(state, state)}"


def _said(dataset: Mapping[str, Any]) -> Iterator[str]:
    loss = loss_of_dataset(dataset["losses"])
    held, files = dataset["held_files"], dataset["files"]
    if loss is not None:
        yield _lost(loss)
    elif dataset["state"] == "absent":
        yield "Its portal does not list it any more."
    if 0 < held < files:
        yield f"{held:,} of its {files:,} known files {'is' if held == 1 else 'are'} held here."
    if dataset["verdict"] != "partial":
        yield VERDICTS[dataset["verdict"]]
    elif held == files:
        yield _ALL_KNOWN_HELD
    if loss is not None and held:
        yield "What is held here can still be had, although it is gone there."
    if dataset["unconfirmed_files"]:
        yield (
            f"For {_files(dataset['unconfirmed_files'])} one volunteer's word is all there is yet that the source sent"
            " these bytes."
        )
    gone = len({one["asset_id"] for one in dataset["losses"] if one["asset_id"] and one["state"] in _OPEN})
    if gone:
        yield f"{_files(gone)} of it {'is' if gone == 1 else 'are'} gone, or replaced by something else, at the source."


def _lost(loss: Mapping[str, Any]) -> str:
    since = _day(loss["suspected_at"])
    looks = "one whole harvest" if loss["misses"] == 1 else f"{loss['misses']:,} whole harvests"
    if loss["state"] == "confirmed":
        return f"Lost upstream. {KINDS[loss['kind']]} It has been missing since {since}, in {looks}."
    return f"Perhaps lost upstream: it was not listed on {since}. One look is not enough to be sure; {looks} missed it."


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _day(moment: datetime | str) -> str:
    return str(moment)[:10]
