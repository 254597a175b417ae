"""Whether, and after which pause, a failed attempt is followed by another one within the same fetch.

A fetch only waits for what seconds can cure; everything else ends it, and the planner
brings the file back after the reason's own rest.
"""

from __future__ import annotations

import random
from datetime import timedelta

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.verdicts import REASONS, Next

LONGEST_WAIT_SECONDS = 30.0
_SECONDS_CURE_IT = timedelta(minutes=1)
# Not the server's doing: another transfer would end in the same way, or is not wanted.
_OURS = frozenset({"store-failed", "no-space", "interrupted"})


def pause_before_retry(
    error: ShelterError, attempt: int, *, max_attempts: int, first_delay_seconds: float, left_seconds: float
) -> float | None:
    """Seconds to wait after failed attempt number `attempt`, None to give up.

    A Retry-After is obeyed to the second or, if it is longer than a fetch may wait, ends
    the fetch. Otherwise the delay doubles with each attempt, less up to half at random.
    """
    if attempt >= max_attempts or error.reason in _OURS:
        return None
    asked = error.retry_after_seconds if isinstance(error, TransientError) else None
    if asked is not None:
        pause = asked
    elif _is_cured_by_seconds(error.reason):
        pause = first_delay_seconds * 2 ** min(attempt - 1, 10) * random.uniform(0.5, 1)
    else:
        return None
    return pause if pause <= min(LONGEST_WAIT_SECONDS, left_seconds) else None


def _is_cured_by_seconds(slug: str) -> bool:
    reason = REASONS.get(slug)
    return reason is not None and reason.next is Next.RETRY and reason.rest <= _SECONDS_CURE_IT
