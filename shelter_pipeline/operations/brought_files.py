"""Files that a node brought, once its bytes are proved: held like our own if they are the file, and told so.

A proof shows that the node has the bytes, not that the source sent them. So a share of
the files is fetched again by somebody else, all of a new node's and fewer the more it has
been confirmed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shelter_pipeline.catalog.proofs import ProofLedger, ProofRow, ProvedFile
from shelter_pipeline.domain.follow_up import FollowUp, follow_up_of_node
from shelter_pipeline.domain.trust import confirmed_share
from shelter_pipeline.domain.verdicts import REASONS, verdict_of
from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.judging import Judgement
from shelter_pipeline.fetching.second_look import Whole, look_again
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

_DICE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file that waits for a proof, and what the bytes look like beside what was promised of it."""

    file: ProvedFile
    judgement: Judgement

    @property
    def is_the_file(self) -> bool:
        """Whether nothing speaks against the bytes."""
        return self.judgement.finding is None


def judge_files(
    workplace: Workplace, proof: ProofRow, whole: Whole, files: Sequence[ProvedFile]
) -> list[JudgedFile]:
    """What these bytes are to each of the files that wait for them."""
    settings = workplace.settings
    rules = content_rules(settings.content_rules)
    return [
        JudgedFile(
            file,
            look_again(
                rules,
                file.url,
                _promise_of(file),
                whole,
                served_as=proof.media_type,
                flags=file.flags,
                max_bytes=settings.fetch_max_bytes,
            ),
        )
        for file in files
    ]


def settle_files(
    ledger: ProofLedger, judged: Sequence[JudgedFile], *, trust: float, settings: Settings
) -> None:
    """Hold what is the file; of the rest keep why it is not, and let others try."""
    for one in judged:
        if one.judgement.finding is None:
            share = confirmed_share(
                trust,
                ledger.brought_files(),
                first=settings.confirm_first,
                least=settings.confirm_least_share,
            )
            ledger.hold(
                one.file,
                # What was held before has had its look, or waits for it.
                confirm=one.file.held_size is None and _DICE.random() < share,
                rest_seconds=REASONS["stored"].rest.total_seconds(),
                flags=one.judgement.flags,
            )
        else:
            reason = one.judgement.finding.reason
            ledger.judge(
                one.file,
                verdict=verdict_of(reason).value,
                reason=reason,
                detail=one.judgement.finding.detail,
                after=_row(_after(one.file, reason, settings)),
            )


def _after(file: ProvedFile, reason: str, settings: Settings) -> FollowUp:
    """Where one node is led to another page, the next may be led to the file."""
    return follow_up_of_node(
        reason,
        file.attempts,
        witnesses=1,
        quorum=settings.quorum_nodes,
        max_attempts=settings.asset_max_attempts,
    )


def _row(after: FollowUp) -> dict[str, object]:
    rest = after.rest.total_seconds() if after.rest is not None else None
    return {"state": after.state, "attempts": after.attempts, "rest_seconds": rest}


def _promise_of(file: ProvedFile) -> Promise:
    return Promise(
        size=file.expected_size,
        checksum=file.checksum,
        format=file.format,
        media_type=file.media_type,
        held_size=file.held_size,
        accepted=frozenset(file.accepted),
        rejected=frozenset(file.rejected),
    )
