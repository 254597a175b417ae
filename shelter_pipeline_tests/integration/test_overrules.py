"""A person's word against the rules: what it changes, what it leaves, and that it can be taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.batches import BatchRow, plannable_assets, planned_batches, write_batches
from shelter_pipeline.catalog.claims import ClaimedAsset, claim_batch, know_store
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.overrules import Word, asset_scope, find_evidence
from shelter_pipeline.catalog.overrules import accept as accept_in_catalog
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.catalog.settling import CaptureRow, settle_claim
from shelter_pipeline.commands.overrule import overrule_app
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.verdicts import Verdict, holds_file, verdict_of
from shelter_pipeline.operations.overrule import (
    ACCEPTABLE,
    accept_suspects,
    overrule_table,
    reject_held,
    revoke_overrule,
)
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.manifest import read_manifests
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

PAGE = b"<html><table><tr><td>17</td></tr></table></html>"
TABLE = b"year,catch\n2025,17\n"
FIRST, SECOND, OTHER = (f"https://epa.example/{name}.csv" for name in ("first", "second", "other"))
SAID = {"who": "Ada", "why": "the agency publishes it so"}


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """Three files of one organization: two of dataset 1, one of dataset 2."""
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        portal = a_portal(catalog)
        mine = [a_resource(url, key=url, position=n) for n, url in enumerate((FIRST, SECOND))]
        harvested(catalog, portal, [a_dataset("1", *mine), a_dataset("2", a_resource(OTHER))])
        discovered(catalog, portal)
        know_store(catalog, opened.store.name)
        yield opened


@pytest.fixture
def batch(workplace: Workplace) -> BatchRow:
    """One batch of the three files."""
    catalog = workplace.catalog
    identity = organization_id(catalog, "epa-gov")
    plan = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    write_batches(catalog, identity, "epa-gov", plan, urgent=False)
    (planned,) = planned_batches(catalog, limit=5)
    return planned


def claims(workplace: Workplace, batch: BatchRow, holder: str = "run") -> dict[str, ClaimedAsset]:
    """Every asset of the batch, due or not, by its URL."""
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text("UPDATE asset SET next_attempt_at = now()"))
    taken = claim_batch(workplace.catalog, batch.id, holder=holder, limit=9, lease_seconds=60)
    return {claim.url: claim for claim in taken}


def settled(workplace: Workplace, claim: ClaimedAsset, reason: str, data: bytes = PAGE) -> None:
    """One capture as a fetch leaves it: bytes in the store, rows in the catalog."""
    held = holds_file(verdict_of(reason))
    with workplace.store.receive() as partial:
        partial.write(data)
        blob = workplace.store.publish(partial) if held else workplace.store.keep_suspect(partial)
    row = CaptureRow(
        verdict=verdict_of(reason).value,
        reason=reason,
        detail="",
        final_url=claim.url,
        status=200,
        heads={"response": [["ETag", '"1"']]},
        flags=("surplus",),
        requests=1,
        wire_bytes=len(data),
        sha256=blob.sha256,
        size=blob.size,
        media_type=None,
        etag='"1"',
        last_modified=None,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        held=held,
    )
    after = follow_up(reason, claim.attempts, max_attempts=5)
    name = workplace.store.name
    assert settle_claim(workplace.catalog, claim, row, after, batch_id=None, store=name)


def asset(workplace: Workplace, url: str = FIRST) -> tuple[Any, ...]:
    """State, reason, digest, size, and whether it is due."""
    query = "SELECT state, reason, sha256, size, next_attempt_at <= now() FROM asset WHERE url = :url"
    with workplace.catalog.begin() as connection:
        return tuple(connection.execute(sa.text(query), {"url": url}).one())


def captures(workplace: Workplace, url: str = FIRST) -> list[tuple[Any, ...]]:
    query = (
        "SELECT verdict, capture.reason, flags, detail FROM capture JOIN asset ON asset.id = asset_id"
        " WHERE url = :url ORDER BY capture.id"
    )
    with workplace.catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), {"url": url})]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_was_kept_apart_is_held_after_a_persons_word(workplace: Workplace, batch: BatchRow) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")

    result = accept_suspects(workplace, url=FIRST, **SAID)

    assert (result["accepted"], result["bytes"], result["lost"]) == (1, len(PAGE), [])
    assert asset(workplace) == ("held", "stored", digest(PAGE), len(PAGE), False)
    with workplace.store.open(digest(PAGE)) as blob:
        assert blob.read() == PAGE
    assert [path.read_bytes() for path in files_in(workplace.store.root, "suspect")] == [PAGE]
    assert report_organization(workplace, "epa-gov")["held_files"] == 1


def test_the_word_is_a_capture_of_its_own_and_the_evidence_stands(
    workplace: Workplace, batch: BatchRow
) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")

    accept_suspects(workplace, url=FIRST, **SAID)

    assert captures(workplace) == [
        ("suspect", "html-instead", ["surplus"], ""),
        (
            "stored",
            "stored",
            ["surplus", "overruled"],
            "html-instead was overruled by Ada: the agency publishes it so",
        ),
    ]


def test_the_store_says_of_itself_what_was_decided(workplace: Workplace, batch: BatchRow) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")

    identity = accept_suspects(workplace, url=FIRST, **SAID)["overrules"]["html-instead"]

    (manifest,) = read_manifests(workplace.store, f"overrule-{identity}")
    (entry,) = manifest.entries
    assert list(manifest.held()) == [digest(PAGE)]
    assert (entry["url"], entry["flags"], entry["dataset_count"]) == (FIRST, ["surplus", "overruled"], 1)
    assert entry["datasets"][0]["identifier"] == "1"
    assert entry["detail"] == "html-instead was overruled by Ada: the agency publishes it so"
    assert [(told["url"], told["state"], told["sha256"]) for told in manifest.assets] == [
        (FIRST, "held", digest(PAGE))
    ]


def test_a_claim_knows_what_was_overruled_for_its_file_and_nothing_else(
    workplace: Workplace, batch: BatchRow
) -> None:
    first = claims(workplace, batch)
    settled(workplace, first[FIRST], "html-instead")
    settled(workplace, first[SECOND], "stored", TABLE)
    settled(workplace, first[OTHER], "empty", b"")

    accept_suspects(workplace, url=FIRST, **SAID)
    accept_suspects(workplace, dataset="1", reason="mismatch", **SAID)
    accept_suspects(workplace, organization="epa-gov", reason="shrunk", **SAID)

    later = claims(workplace, batch, "later")
    assert {url: sorted(claim.accepted) for url, claim in later.items()} == {
        FIRST: ["html-instead", "mismatch", "shrunk"],
        SECOND: ["mismatch", "shrunk"],
        OTHER: ["shrunk"],
    }
    assert {url: claim.held_size for url, claim in later.items()} == {
        FIRST: len(PAGE),
        SECOND: len(TABLE),
        OTHER: None,
    }


def test_a_whole_organization_is_accepted_for_one_reason(workplace: Workplace, batch: BatchRow) -> None:
    taken = claims(workplace, batch)
    settled(workplace, taken[FIRST], "mismatch", TABLE)
    settled(workplace, taken[SECOND], "html-instead")
    settled(workplace, taken[OTHER], "mismatch", TABLE + b"2026,3\n")

    result = accept_suspects(workplace, organization="epa-gov", reason="mismatch", **SAID)

    assert result["accepted"] == 2
    assert [asset(workplace, url)[0] for url in (FIRST, SECOND, OTHER)] == ["held", "failed", "held"]


def test_all_reasons_of_a_dataset_are_accepted_each_by_a_word_of_its_own(
    workplace: Workplace, batch: BatchRow
) -> None:
    taken = claims(workplace, batch)
    settled(workplace, taken[FIRST], "empty", b"")
    settled(workplace, taken[SECOND], "html-instead")
    settled(workplace, taken[OTHER], "html-instead")

    result = accept_suspects(workplace, dataset="dataset-1", **SAID)

    assert result["accepted"] == 2
    assert set(result["overrules"]) == {"empty", "html-instead"}
    assert [asset(workplace, url)[0] for url in (FIRST, SECOND, OTHER)] == ["held", "held", "failed"]


def test_evidence_that_a_good_capture_has_replaced_is_left_alone(
    workplace: Workplace, batch: BatchRow
) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")
    scope = asset_scope(workplace.catalog, FIRST)
    seen = find_evidence(workplace.catalog, scope, ACCEPTABLE)
    blob = workplace.store.accept_suspect(seen[0].sha256)
    settled(workplace, claims(workplace, batch, "later")[FIRST], "stored", TABLE)

    name = workplace.store.name
    words, changed = accept_in_catalog(
        workplace.catalog, scope, ["html-instead"], [(seen[0], blob.size)], Word("Ada", "late"), store=name
    )

    assert changed == []
    assert asset(workplace)[2] == digest(TABLE)
    assert find_evidence(workplace.catalog, scope, ACCEPTABLE) == []
    assert set(words) == {"html-instead"}


def test_a_version_held_before_is_held_again_when_the_word_is_revoked(
    workplace: Workplace, batch: BatchRow
) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "stored", TABLE)
    settled(workplace, claims(workplace, batch, "later")[FIRST], "html-instead")
    identity = accept_suspects(workplace, url=FIRST, **SAID)["overrules"]["html-instead"]
    accepted = asset(workplace)

    assert revoke_overrule(workplace, identity, who="Grace") == {"revoked": identity, "put_back": 1}

    assert accepted[:3] == ("held", "stored", digest(PAGE))
    assert asset(workplace) == ("held", "html-instead", digest(TABLE), len(TABLE), True)
    assert captures(workplace)[-1][2:] == (
        ["surplus", "revoked"],
        f"overrule {identity} was revoked by Grace",
    )
    assert claims(workplace, batch, "last")[FIRST].accepted == []


def test_a_word_that_is_revoked_takes_back_what_it_held(workplace: Workplace, batch: BatchRow) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")
    identity = accept_suspects(workplace, url=FIRST, **SAID)["overrules"]["html-instead"]

    revoke_overrule(workplace, identity, who="Grace")

    assert asset(workplace) == ("failed", "html-instead", None, None, True)
    with pytest.raises(SetupError, match="still stands"):
        revoke_overrule(workplace, identity, who="Grace")


def test_what_has_changed_since_a_word_is_not_put_back(workplace: Workplace, batch: BatchRow) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")
    identity = accept_suspects(workplace, url=FIRST, **SAID)["overrules"]["html-instead"]
    settled(workplace, claims(workplace, batch, "later")[FIRST], "stored", TABLE)

    assert revoke_overrule(workplace, identity, who="Grace")["put_back"] == 0

    assert asset(workplace)[:3] == ("held", "stored", digest(TABLE))


def test_a_held_file_that_is_rejected_counts_no_more_and_its_blob_stays(
    workplace: Workplace, batch: BatchRow
) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "stored")

    identity = reject_held(workplace, FIRST, **SAID)["overrule"]

    assert asset(workplace) == ("failed", "rejected", None, None, False)
    assert captures(workplace)[-1][:2] == ("suspect", "rejected")
    assert workplace.store.size_of(digest(PAGE)) == len(PAGE)
    assert report_organization(workplace, "epa-gov")["held_files"] == 0
    assert claims(workplace, batch, "later")[FIRST].rejected == [digest(PAGE)]

    revoke_overrule(workplace, identity, who="Grace")
    assert asset(workplace)[:3] == ("held", "stored", digest(PAGE))


def test_a_rejected_version_gives_way_to_the_good_one_before_it(
    workplace: Workplace, batch: BatchRow
) -> None:
    for holder, data in (("one", TABLE), ("two", PAGE), ("three", PAGE + b" ")):
        settled(workplace, claims(workplace, batch, holder)[FIRST], "stored", data)

    reject_held(workplace, FIRST, **SAID)
    fallen_back = asset(workplace)[2]
    reject_held(workplace, FIRST, **SAID)

    assert fallen_back == digest(PAGE)
    assert asset(workplace)[:4] == ("held", "rejected", digest(TABLE), len(TABLE))


def test_nothing_is_rejected_where_nothing_is_held(workplace: Workplace) -> None:
    with pytest.raises(SetupError, match="nothing is held"):
        reject_held(workplace, FIRST, **SAID)

    assert overrule_table(workplace) == []


def test_evidence_that_has_rotted_or_gone_is_named_and_not_held(
    workplace: Workplace, batch: BatchRow
) -> None:
    taken = claims(workplace, batch)
    settled(workplace, taken[FIRST], "html-instead")
    settled(workplace, taken[SECOND], "wrong-type", TABLE)
    for path in files_in(workplace.store.root, "suspect"):
        path.chmod(0o644)
        if path.name == digest(PAGE):
            path.write_bytes(PAGE[:-1] + b"X")
        else:
            path.unlink()

    result = accept_suspects(workplace, dataset="1", **SAID)

    assert (result["accepted"], sorted(result["lost"])) == (0, [FIRST, SECOND])
    assert files_in(workplace.store.root, "blobs", "partial") == []
    assert asset(workplace)[0] == "failed"


@pytest.mark.parametrize(
    ("scope", "complaint"),
    [
        ({"url": "https://epa.example/none.csv"}, "no file of the catalog"),
        ({"dataset": "none"}, "no dataset has"),
        ({"organization": "none"}, "there is no organization"),
        ({}, "name one scope"),
        ({"url": FIRST, "dataset": "1"}, "name one scope"),
        ({"url": FIRST}, "nothing is kept apart"),
        ({"url": FIRST, "reason": "gone"}, "not a reason that can be overruled"),
        ({"url": FIRST, "reason": "rejected"}, "not a reason that can be overruled"),
    ],
)
def test_a_word_about_nothing_is_refused(workplace: Workplace, scope: dict[str, str], complaint: str) -> None:
    with pytest.raises(SetupError, match=complaint):
        accept_suspects(workplace, **scope, **SAID)


def test_every_word_is_listed_with_who_and_why(workplace: Workplace, batch: BatchRow) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")
    identity = accept_suspects(workplace, url=FIRST, **SAID)["overrules"]["html-instead"]
    accept_suspects(workplace, organization="epa-gov", reason="mismatch", who="Bob\x00", why="sizes are old")
    revoke_overrule(workplace, identity, who="Grace")

    newest, oldest = overrule_table(workplace)

    assert {name: newest[name] for name in ("action", "reason", "scope", "files", "who", "why")} == {
        "action": "accept",
        "reason": "mismatch",
        "scope": "organization epa-gov",
        "files": 0,
        "who": "Bob\ufffd",
        "why": "sizes are old",
    }
    assert (oldest["scope"], oldest["files"], oldest["who"], oldest["revoked_by"]) == (
        FIRST,
        1,
        "Ada",
        "Grace",
    )
    assert newest["revoked_at"] is None


def test_the_command_line_says_what_was_decided(
    workplace: Workplace, batch: BatchRow, catalog_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(workplace, claims(workplace, batch)[FIRST], "html-instead")
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)
    monkeypatch.setenv("SHELTER_DAGSTER_DATABASE_URL", catalog_url)
    monkeypatch.setenv("SHELTER_STORE", str(workplace.store.root))

    def run(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(overrule_app, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.stdout))

    accepted = run("accept", FIRST, "--why", "it is so", "--who", "Ada")
    (listed,) = run("list")["overrules"]
    identity = str(accepted["overrules"]["html-instead"])
    revoked = run("revoke", identity, "--who", "Grace")
    held = run("accept", FIRST, "--why", "it is so", "--reason", "html-instead")
    rejected = run("reject", FIRST, "--why", "it is not")
    shown = CliRunner().invoke(overrule_app, ["list"])

    assert accepted["accepted"] == held["accepted"] == 1
    assert (listed["scope"], listed["who"], listed["revoked_at"]) == (FIRST, "Ada", None)
    assert revoked == {"revoked": int(identity), "put_back": 1}
    assert rejected["url"] == FIRST
    assert "Ada" in shown.stdout


def test_only_what_waits_for_a_review_can_be_overruled() -> None:
    assert {verdict_of(reason) for reason in ACCEPTABLE} == {Verdict.SUSPECT, Verdict.DAMAGED}
    assert {"html-instead", "empty", "mismatch", "shrunk", "incomplete"} <= set(ACCEPTABLE)
