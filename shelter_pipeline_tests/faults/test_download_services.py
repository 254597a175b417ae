"""What services send in place of an export, with status 200 or 202: it is waited for, or kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shelter_pipeline.fetching.download import Promise
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import FaultServer, head, whole
from shelter_pipeline_tests.support.fetching import downloader, files_in

TABLE = b"OBJECTID,NAME\n1,Redlands\n"
PROMISE = Promise(format="CSV", media_type="text/csv")
EXPORT = "/api/download/v1/items/0123456789abcdef0123456789abcdef/csv?layers=0&redirect=true"


def accepted(body: bytes, *fields: str) -> Sequence[Any]:
    return whole(body, "Content-Type: application/json", *fields, status="202 Accepted")


def test_an_export_that_is_being_made_is_asked_for_later_and_leaves_nothing(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves(EXPORT, *accepted(b'{"status":"Processing"}', "Retry-After: 60"))

    capture = downloader(store).fetch(url, PROMISE)

    assert (capture.verdict, capture.reason, capture.status) == ("transient", "processing", 202)
    assert files_in(store.root) == []


def test_an_export_is_fetched_whole_by_the_redirect_that_comes_once_it_is_made(
    server: FaultServer, store: LocalStore
) -> None:
    made = server.serves("/made/table.csv", *whole(TABLE, "Content-Type: text/csv"))
    url = server.serves_in_turn(
        EXPORT,
        accepted(b'{"status":"Processing"}'),
        accepted(b'{"status":"ExportingData","progressInPercent":50}'),
        (head(f"Location: {made}", "Content-Length: 0", status="302 Found"),),
    )

    capture = downloader(store, max_attempts=3).fetch(url, PROMISE)

    assert (capture.verdict, capture.size, capture.final_url) == ("stored", len(TABLE), made)
    assert [path.read_bytes() for path in files_in(store.root, "blobs")] == [TABLE]


@pytest.mark.parametrize(
    "body",
    [b'{"status":"Pending","progressInPercent":0}', b'{"status":"ConvertingData","recordCount":120}'],
)
def test_what_says_with_200_that_it_is_being_made_is_asked_for_later(
    server: FaultServer, store: LocalStore, body: bytes
) -> None:
    url = server.serves(EXPORT, *whole(body, "Content-Type: application/json"))

    capture = downloader(store).fetch(url, PROMISE)

    assert (capture.verdict, capture.reason) == ("transient", "processing")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"code":400,"message":"Invalid URL","details":["Invalid URL"]}}',
        b'{"error":{"code":499,"message":"Token Required","details":[]}}',
        b'{\n  "error" : {\n    "code" : 498,\n    "message" : "Invalid token."\n  }\n}',
        b'{"status":"Failed","message":"the dataset could not be exported"}',
        b'{"jobId":"j1","jobStatus":"esriJobFailed","messages":[]}',
        b'{\n  "code" : "not_found",\n  "error" : true,\n  "message" : "Cannot find view"\n}',
        b'{"code":"permission_denied","error":true,"message":"You must be logged in"}',
        b'{"message":"no such column","errorCode":"query.soql.no-such-column","data":{}}',
        b'Error {\n    code = 404;\n    message = "Cannot locate the dataset";\n};',
    ],
)
def test_a_services_error_with_status_200_is_never_stored_as_a_table(
    server: FaultServer, store: LocalStore, body: bytes
) -> None:
    url = server.serves("/rows.csv?accessType=DOWNLOAD", *whole(body))

    capture = downloader(store).fetch(url, PROMISE)

    assert (capture.verdict, capture.reason) == ("suspect", "wrong-type")
    assert files_in(store.root, "blobs") == []


def test_the_error_of_a_description_is_not_stored_as_one(server: FaultServer, store: LocalStore) -> None:
    body = b'{"error":{"code":500,"message":"Service Sites/MapServer not started","details":[]}}'
    url = server.serves("/arcgis/rest/services/Sites/MapServer?f=json", *whole(body))

    capture = downloader(store).fetch(url, Promise(format="JSON", media_type="application/json"))

    assert (capture.verdict, capture.reason) == ("suspect", "wrong-type")


@pytest.mark.parametrize(
    "body",
    [
        b'[{"code":499,"name":"Redlands","error":{"code":499}}]',
        b'{"features":[{"status":"Failed","jobStatus":"esriJobFailed"}]}',
        b'{"count":3,"rows":[{"message":"a","errorCode":"b"}]}',
    ],
)
def test_data_that_speaks_of_errors_is_data(server: FaultServer, store: LocalStore, body: bytes) -> None:
    url = server.serves("/events.json", *whole(body))

    assert downloader(store).fetch(url).verdict == "stored"
