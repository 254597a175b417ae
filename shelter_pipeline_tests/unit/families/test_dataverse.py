"""Dataverse: lists of files in parts, originals of ingested tables, restrictions, single files."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

HOST = "https://dataverse.harvard.edu"
LIST = (
    f"{HOST}/api/datasets/:persistentId/versions/:latest-published/files?persistentId=doi:10.7910/DVN/GOB7NW"
)
FIRST = f"{LIST}&limit=1000&offset=0"
MD5 = "235c918a8eaff0f65a8044e81a5c1ca8"


def file(number: int, **changes: Any) -> dict[str, Any]:
    """An entry of the list, as Dataverse 6 writes it."""
    data_file = {
        "id": number,
        "persistentId": "",
        "filename": f"part{number}.zip",
        "contentType": "application/zip",
        "filesize": 933475122,
        "storageIdentifier": f"s3://dvn-cloud:1636a128dff-{number}",
        "rootDataFileId": -1,
        "md5": MD5,
        "checksum": {"type": "MD5", "value": MD5},
        "creationDate": "2025-02-27",
    }
    return {
        "label": f"part{number}.zip",
        "restricted": False,
        "version": 2,
        "datasetVersionId": 268,
        "dataFile": data_file | changes.pop("dataFile", {}),
        **changes,
    }


def listing(*files: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    counted = {} if total is None else {"totalCount": total}
    return {"status": "OK", **counted, "data": list(files)}


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/dataset.xhtml?persistentId=doi:10.7910/DVN/GOB7NW",
        "http://dataverse.harvard.edu/dataset.xhtml?persistentId=doi%3A10.7910%2FDVN%2FGOB7NW&version=DRAFT",
        f"{HOST}/citation?persistentId=doi:10.7910/DVN/GOB7NW",
        f"{HOST}/dataset.xhtml?persistentId=https://doi.org/10.7910/DVN/GOB7NW",
        f"{HOST}/api/datasets/:persistentId/?persistentId=doi:10.7910/DVN/GOB7NW",
        f"{HOST}/api/access/dataset/:persistentId?persistentId=doi:10.7910/DVN/GOB7NW",
        "https://doi.org/10.7910/DVN/GOB7NW",
        "https://doi.org/10.7910/dvn/gob7nw/ABCDEF",
    ],
)
def test_every_address_of_a_dataset_leads_to_its_list_of_files(url: str) -> None:
    assert entered(url) == ("dataverse", [("page", FIRST)])


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (
            "https://d.example.org/dataverse/dataset.xhtml?persistentId=hdl:1902.1/10040&version=2.1",
            "https://d.example.org/api/datasets/:persistentId/versions/2.1/files?persistentId=hdl:1902.1/10040&limit=1000&offset=0",
        ),
        (
            "http://localhost:8080/dataset.xhtml?id=306",
            "http://localhost:8080/api/datasets/306/versions/:latest-published/files?limit=1000&offset=0",
        ),
        (f"{HOST}/file.xhtml?fileId=3040230&version=1.0", f"{HOST}/api/files/3040230"),
        (
            f"{HOST}/file.xhtml?persistentId=doi:10.7910/DVN/GOB7NW/ABC",
            f"{HOST}/api/files/:persistentId?persistentId=doi:10.7910/DVN/GOB7NW/ABC",
        ),
    ],
)
def test_any_host_with_its_page_names_is_asked_on_that_host(url: str, page: str) -> None:
    assert entered(url) == ("dataverse", [("page", page)])


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/dataset.xhtml",
        f"{HOST}/dataset.xhtml?persistentId=nonsense",
        f"{HOST}/dataset.xhtml?id=1%20or%201",
        "https://example.org/citation?id=7a",
        f"{HOST}/file.xhtml?fileId=../../etc",
    ],
)
def test_a_page_that_names_no_dataset_is_not_ours(url: str) -> None:
    assert entered(url) is None


def test_a_file_comes_with_size_and_checksum_as_promises() -> None:
    reading = read("dataverse", listing(file(7, directoryLabel="raw/2024")), FIRST)

    assert leads(reading) == [
        Lead(
            f"{HOST}/api/access/datafile/7",
            To.FILE,
            "dataverse-file",
            label="raw/2024/part7.zip",
            asset_kind="zip",
            format="zip",
            size=933475122,
            promised=True,
            checksum=f"md5:{MD5}",
        )
    ]


def test_of_an_ingested_table_the_original_is_asked_for_with_the_originals_checksum() -> None:
    table = file(
        1011,
        label="RELOCATION.tab",
        dataFile={
            "contentType": "text/tab-separated-values",
            "filesize": 306311,
            "originalFileFormat": "application/x-stata",
            "originalFormatLabel": "Stata Binary",
            "originalFileSize": 267297,
            "originalFileName": "RELOCATION.dta",
            "UNF": "UNF:6:dLu0AaOeqoOlDbGTwUrWjA==",
            "tabularData": True,
        },
    )

    [lead] = leads(read("dataverse", listing(table), FIRST))

    assert lead.url == f"{HOST}/api/access/datafile/1011?format=original"
    assert (lead.label, lead.asset_kind, lead.checksum) == ("RELOCATION.dta", "stata", f"md5:{MD5}")
    # Installations do not agree on the original's size, so it is an estimate.
    assert (lead.size, lead.promised) == (267297, False)


def test_restricted_and_embargoed_files_are_noted_and_the_rest_is_taken() -> None:
    reading = read(
        "dataverse",
        listing(
            file(1, restricted=True),
            file(2, dataFile={"embargo": {"dateAvailable": "2031-05-01", "reason": ""}}),
            file(3, dataFile={"embargo": {"dateAvailable": "2024-05-01"}}),
        ),
        FIRST,
        date="Wed, 25 Nov 2026 12:00:00 GMT",
    )

    assert brief(reading) == [("file", f"{HOST}/api/access/datafile/3")]
    assert reading.notes == ("part1.zip is restricted", "part2.zip is embargoed until 2031-05-01")
    assert reading.outcome == ""


def test_a_dataset_of_restricted_files_asks_for_a_login() -> None:
    reading = read("dataverse", listing(file(1, restricted=True), total=1), FIRST)

    assert (leads(reading), reading.outcome) == ([], "login-required")


def test_the_next_part_is_asked_for_while_the_count_says_that_there_is_one() -> None:
    two = f"{LIST}&limit=2&offset=0"
    files = [file(1), file(2)]

    assert brief(read("dataverse", listing(*files, total=3), two))[-1] == ("more", f"{LIST}&limit=2&offset=2")
    assert [to for to, _ in brief(read("dataverse", listing(*files, total=2), two))] == ["file", "file"]
    # Older servers give no count: only a part that is not full is the last.
    assert brief(read("dataverse", listing(*files), two))[-1][0] == "more"
    assert [to for to, _ in brief(read("dataverse", listing(file(1)), two))] == ["file"]


def test_a_server_that_knows_no_parts_gives_all_at_once_and_is_not_asked_again() -> None:
    reading = read("dataverse", listing(*map(file, range(1, 6))), f"{LIST}&limit=2&offset=0")

    assert [to for to, _ in brief(reading)] == ["file"] * 5


def test_a_last_part_of_restricted_files_does_not_speak_for_the_dataset() -> None:
    reading = read(
        "dataverse", listing(file(9, restricted=True), total=1001), f"{LIST}&limit=1000&offset=1000"
    )

    assert (leads(reading), reading.outcome) == ([], "")


def test_a_files_own_record_gives_the_file() -> None:
    reading = read("dataverse", {"status": "OK", "data": file(3040230)}, f"{HOST}/api/files/3040230")

    assert brief(reading) == [("file", f"{HOST}/api/access/datafile/3040230")]


def test_one_bad_entry_ends_nothing() -> None:
    bad: list[Any] = [7, None, {}, {"dataFile": []}, {"dataFile": {"id": "../1"}, "label": "x"}]

    reading = read("dataverse", {"status": "OK", "data": [*bad, file(1)]}, FIRST)

    assert brief(reading) == [("file", f"{HOST}/api/access/datafile/1")]
    assert reading.notes[-1] == "x has no number and was passed over"


def test_an_error_with_status_200_is_said_in_dataverses_words() -> None:
    with pytest.raises(PermanentError, match="not found"):
        read(
            "dataverse",
            {"status": "ERROR", "message": "Dataset with Persistent ID doi:10.1/x not found."},
            FIRST,
        )


def test_a_collection_of_datasets_is_none() -> None:
    assert entered(f"{HOST}/dataverse/monogan") == ("dataverse", [])
