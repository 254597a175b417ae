"""What the API says of itself."""

from __future__ import annotations

from shelter_pipeline_tests.support.api import ApiUnderTest


def test_a_running_system_says_that_it_is_healthy(api: ApiUnderTest) -> None:
    answer = api.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
