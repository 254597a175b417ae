"""What schemathesis cannot know of our refusals: checks of its own, with the statuses that it does not count as such.

A schema cannot say which cursor was given out, which organization there is, or which version
of a node is too old. Such a request is valid by the schema and refused all the same, with a
slug of its own; only `bad-request` says that the form itself was wrong.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.specs.openapi import checks as theirs

_OF_THE_FORM = "bad-request"
# A node that is too old, a head that is too large, a body that is too large: refusals as well.
_REFUSED_TOO = frozenset({408, 413, 414, 426, 431})


@schemathesis.check
def valid_data_is_refused_for_what_it_says_alone(ctx: Any, response: Any, case: Any) -> bool | None:
    if response.status_code == 426 or (response.status_code == 422 and _slug(response) != _OF_THE_FORM):
        return None
    return theirs.positive_data_acceptance(ctx, response, case)


@schemathesis.check
def invalid_data_is_refused_somehow(ctx: Any, response: Any, case: Any) -> bool | None:
    if response.status_code in _REFUSED_TOO:
        return None
    return theirs.negative_data_rejection(ctx, response, case)


def _slug(response: Any) -> str:
    return str(response.json().get("error", ""))
