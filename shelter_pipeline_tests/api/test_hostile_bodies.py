"""Whatever nodes are told to send, the answer is one that is documented: no error of ours, and no claim taken."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.node_requests import refusal

FIELDS = (
    *(
        "node_id",
        "free_space_gb",
        "limit",
        "bandwidth_mbps",
        "uptime_hours",
        "purposes",
        "asset_id",
        "asset_ids",
    ),
    *(
        "all",
        "token",
        "tokens",
        "begun",
        "updates",
        "new_priority",
        "name",
        "version",
        "contact",
        "space_gb",
        "why",
    ),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["node-123", "' OR 1=1 --", "1", "NaN", "a\x00", "fetch", "0.1.0", "1!0"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8) | VALUES
NAMED = st.builds(lambda body: {**body, "node_id": "n"}, st.dictionaries(st.sampled_from(FIELDS), VALUES))
JSON = {"Content-Type": "application/json"}
PATHS = (
    *("/allocate", "/release", "/update-ckan", "/heartbeat", "/nodes"),
    *("/nodes/n/sign-off", "/nodes/n/block", "/nodes/n/unblock"),
)


def test_any_body_is_answered_as_documented(api: ApiUnderTest) -> None:
    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(PATHS), BODIES | NAMED, st.sampled_from([None, "k", "two words", "0.1.0"]))
    def ask(path: str, body: Any, header: str | None) -> None:
        headers = {} if header is None else {"Idempotency-Key": header, "Shelter-Node-Version": header}
        # NaN and the infinities are no JSON, and Python writes and reads them all the same.
        answer = api.ask("POST", path, data=json.dumps(body), headers=JSON | headers)

        assert answer.status_code in (200, 201, 403, 404, 409, 422, 426, 429), answer.text
        if answer.status_code >= 400:
            refusal(answer)

    ask()


def test_what_is_no_json_of_ours_is_refused(api: ApiUnderTest) -> None:
    too_much = b'{"node_id": "a", "free_space_gb": 1e999}'
    for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe", too_much, b"null"):
        answer = api.ask("POST", "/allocate", data=body, headers=JSON)

        assert 400 <= answer.status_code < 500, body[:20]
        refusal(answer)
