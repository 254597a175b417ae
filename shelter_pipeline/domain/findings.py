"""What an examination says: one finding for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Soundness(StrEnum):
    """How a thing was found; `failed` means that Shelter cannot work, or loses what it promises."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: what was found, and what to do if it is not as it should be."""

    check: str
    verdict: Soundness
    message: str
    advice: str = ""


def ok(check: str, message: str) -> Finding:
    """As it should be."""
    return Finding(check, Soundness.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """Works, and somebody should know."""
    return Finding(check, Soundness.WARNING, message, advice)


def failed(check: str, message: str, advice: str) -> Finding:
    """Does not work, or does not keep what it promises."""
    return Finding(check, Soundness.FAILED, message, advice)


def skipped(check: str, message: str, advice: str = "") -> Finding:
    """Could not be looked at, or is not there to be looked at."""
    return Finding(check, Soundness.SKIPPED, message, advice)


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing failed."""
    return all(finding.verdict is not Soundness.FAILED for finding in findings)
