"""Two clocks that should agree."""

from __future__ import annotations

from shelter_pipeline.domain.findings import Finding, failed, ok, warning

_CHECK = "clock"
_WARN_SECONDS = 30
# S3 refuses what was signed a quarter of an hour ago, or will be.
_FAIL_SECONDS = 600


def clock_finding(whose: str, ahead_seconds: float) -> Finding:
    """What it means that this machine's clock is so far ahead of somebody's."""
    if abs(ahead_seconds) <= _WARN_SECONDS:
        return ok(_CHECK, f"this machine's clock agrees with {whose}")
    which = "ahead of" if ahead_seconds > 0 else "behind"
    message = f"this machine's clock is {abs(ahead_seconds):,.0f} s {which} that of {whose}"
    advice = (
        "Switch on a time service (NTP). Leases go by the database's clock and are safe; logs, signatures of S3 and"
        " TLS are not."
    )
    return (failed if abs(ahead_seconds) > _FAIL_SECONDS else warning)(_CHECK, message, advice)
