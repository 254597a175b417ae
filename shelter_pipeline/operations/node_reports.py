"""Settle what nodes report of their claims: `POST /complete` of the API.

Each result stands for itself: one that is late, unknown or contradictory never costs the
others. What a node says is kept as evidence; what counts is what it proves.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from shelter_pipeline.catalog.claims import give_node_slots_back
from shelter_pipeline.catalog.node_reports import (
    AskedProof,
    Owed,
    ReportedClaim,
    ReportLedger,
    report_ledger,
)
from shelter_pipeline.catalog.nodes import NodeRow
from shelter_pipeline.domain.challenges import NONCE_BYTES, draw_ranges
from shelter_pipeline.domain.follow_up import FollowUp
from shelter_pipeline.domain.node_reports import Report, ReportError, identity_of, read_report
from shelter_pipeline.domain.verdicts import REASONS, verdict_of
from shelter_pipeline.operations import report_rulings as rulings
from shelter_pipeline.operations.report_rulings import UNPROVED, Ruling
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

__all__ = ["AskedProof", "Outcome", "Report", "ReportError", "identity_of", "read_report", "settle_reports"]

_DICE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one result: `settled`, `late`, `unknown` or `refused`, a sentence, and what is to be proved."""

    asset_id: int | None
    token: int | None
    outcome: str
    message: str
    proof: AskedProof | None = None


def settle_reports(workplace: Workplace, node: NodeRow, reports: Sequence[Report]) -> list[Outcome]:
    """What each of these results of one node comes to, in their order; all are recorded, or none.

    A file that the node has is held when it has proved so; what it says of a source becomes
    final when independent nodes, or we ourselves, say the same. Its places at hosts of which it
    fetches nothing any more are others' at once.
    """
    if not reports:
        return []
    with report_ledger(workplace.catalog, node.id, workplace.store.name) as ledger:
        outcomes = _Completion(workplace, ledger, reports).settle()
    give_node_slots_back(workplace.catalog, [node.holder])  # at hosts of which it has nothing left
    return outcomes


class _Completion:
    """One completion while it is settled."""

    def __init__(self, workplace: Workplace, ledger: ReportLedger, reports: Sequence[Report]) -> None:
        self._settings: Settings = workplace.settings
        self._room = workplace.store.room_bytes(self._settings.store_reserve_bytes)
        self._ledger = ledger
        self._reports = reports
        self._claims = ledger.claims(report.token for report in reports)
        self._held = ledger.held(report.sha256 for report in reports if report.sha256)
        self._owed: Owed = ledger.owed()

    def settle(self) -> list[Outcome]:
        """Rule, write, and ask for proofs, in that order: quorums are counted on what is written."""
        ruled = [self._rule(report) for report in self._reports]
        witnesses = self._ledger.witnesses(
            [
                {
                    "token": report.token,
                    "asset_id": report.asset_id,
                    "reason": ruling.reason,
                    "sha256": report.sha256 if ruling.reason == UNPROVED else None,
                    "size": report.size,
                }
                for report, ruling in zip(self._reports, ruled, strict=True)
                if ruling.needs_witnesses
            ]
        )
        self._ledger.record(
            [
                self._row(report, ruling, witnesses.get(report.token, 1))
                for report, ruling in zip(self._reports, ruled, strict=True)
                if ruling.reason is not None or self._is_new_evidence(report, ruling)
            ]
        )
        return [
            Outcome(
                report.asset_id,
                report.token,
                ruling.ending,
                ruling.message,
                self._proof(report, ruling, witnesses.get(report.token, 1)),
            )
            for report, ruling in zip(self._reports, ruled, strict=True)
        ]

    def _rule(self, report: Report) -> Ruling:
        claim = self._claims.get(report.token)
        ruling = rulings.first_ruling(report, claim)
        if ruling is None and claim is not None:
            ruling = self._rule_live(report, claim)
            # Said twice in one completion, the first counts.
            self._claims[report.token] = replace(
                claim, is_live=False, said_reason=ruling.reason, said_sha256=report.sha256, said_late=False
            )
        return ruling or Ruling("unknown", "you have and had no such claim")

    def _rule_live(self, report: Report, claim: ReportedClaim) -> Ruling:
        if not report.is_stored:
            return Ruling("settled", REASONS[report.reason].sentence, report.reason)
        wrong = rulings.contradiction(report, claim, self._held)
        if wrong is not None:
            return Ruling("refused", wrong, "mismatch")
        if rulings.is_other_look(report, claim):
            other = "we hold other bytes of this file; this is kept as evidence, and we look ourselves"
            return Ruling("settled", other, UNPROVED)
        proof = rulings.proof_of(report, self._held, self._owed, self._settings, self._room)
        if proof == "upload":
            self._owed = replace(self._owed, open=self._owed.open + 1)
        messages = {
            "upload": "send the bytes, and the file counts",
            "challenge": "we hold these bytes; answer the challenge, and your copy counts",
            "quorum": "the file counts when other nodes report the same bytes",
            None: "send first what you owe; others fetch this file",
        }
        return Ruling("settled", messages[proof], UNPROVED, proof)

    def _is_new_evidence(self, report: Report, ruling: Ruling) -> bool:
        claim = self._claims.get(report.token)
        if ruling.ending != "late" or claim is None or claim.said_reason is not None:
            return False
        self._claims[report.token] = replace(
            claim,
            said_reason=UNPROVED if report.is_stored else report.reason,
            said_sha256=report.sha256,
            said_late=True,
        )
        return claim.purpose == "fetch"

    def _row(self, report: Report, ruling: Ruling, witnesses: int) -> dict[str, Any]:
        claim = self._claims[report.token]
        reason = ruling.reason or (UNPROVED if report.is_stored else report.reason)
        after = self._after(report, claim, ruling, witnesses) if ruling.reason else None
        return {
            **asdict(report),
            "verdict": verdict_of(reason).value,
            "reason": reason,
            "detail": ruling.message if ruling.ending == "refused" else report.detail,
            "late": ruling.reason is None,
            "ends": ruling.reason is not None,
            "capture": claim.purpose == "fetch",
            "after": after is not None,
            "state": after.state if after else None,
            "attempts": after.attempts if after else None,
            "rest_seconds": after.rest.total_seconds() if after and after.rest is not None else None,
        }

    def _after(self, report: Report, claim: ReportedClaim, ruling: Ruling, witnesses: int) -> FollowUp | None:
        if claim.purpose != "fetch" or ruling.reason is None:
            return None
        if report.is_stored and ruling.proof is None and rulings.is_other_look(report, claim):
            return FollowUp("pending", timedelta(0), claim.attempts)  # one of two is wrong: we look at once
        if ruling.proof is not None and rulings.waits(ruling.proof, self._owed) and not claim.is_held:
            seconds = rulings.proof_seconds(ruling.proof, claim.purpose, report.size or 0, self._settings)
            return FollowUp("pending", timedelta(seconds=seconds), claim.attempts)
        return rulings.after_failure(report, claim, ruling.reason, witnesses, self._settings)

    def _proof(self, report: Report, ruling: Ruling, witnesses: int) -> AskedProof | None:
        claim = self._claims.get(report.token)
        if claim is None or ruling.ending != "settled" or report.sha256 is None or report.size is None:
            return None
        if ruling.proof is None:  # it was said before, and the answer may have got lost
            return self._ledger.asked(report.sha256) if report.is_stored else None
        sha256, size, fetched = report.sha256, report.size, claim.purpose == "fetch"
        if ruling.proof == "quorum":
            if witnesses >= self._settings.quorum_nodes:
                self._ledger.agree(
                    report.asset_id,
                    sha256,
                    size,
                    media_type=report.media_type,
                    rest_seconds=REASONS["stored"].rest.total_seconds(),
                )
            return None
        is_challenge = ruling.proof == "challenge"
        if is_challenge:
            self._ledger.claim_copy(sha256)
        return self._ledger.ask(
            ruling.proof,
            sha256=sha256,
            size=size,
            asset_id=report.asset_id if fetched else None,
            seconds=rulings.proof_seconds(ruling.proof, claim.purpose, size, self._settings),
            media_type=report.media_type,
            last_modified=report.last_modified,
            nonce=secrets.token_bytes(NONCE_BYTES) if is_challenge else None,
            ranges=draw_ranges(size, _DICE.randrange) if is_challenge else (),
        )
