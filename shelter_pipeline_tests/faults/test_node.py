"""A volunteer's node against an API that speaks the protocol and fails as networks do, and sources that misbehave."""

from __future__ import annotations

import hashlib
import json
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from shelter_pipeline.domain.challenges import challenge_answer
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.node.api_client import ApiDenied, NodeTooOld
from shelter_pipeline.node.folder import NodeFolder
from shelter_pipeline.node.start import node_status, sign_off
from shelter_pipeline_tests.support.behaviours import cut_after, noise, ranged
from shelter_pipeline_tests.support.fault_server import FaultServer, Pause, field, head, whole
from shelter_pipeline_tests.support.fetching import USER_AGENT, bodies_in, files_in
from shelter_pipeline_tests.support.node_api import NodeApi
from shelter_pipeline_tests.support.nodes import a_node, one_round
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.small_disk import small_disk


@pytest.fixture
def api() -> Iterator[NodeApi]:
    with NodeApi() as running:
        yield running


@pytest.fixture
def source() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def slow(body: bytes, *fields: str) -> tuple[object, ...]:
    """Half of it at once, and then nothing for a long while."""
    return (head(f"Content-Length: {len(body)}", *fields), body[: len(body) // 2], Pause(60))


def on_disk(store: Path) -> int:
    """Bytes of all bodies of a store, while others write there."""
    size = 0
    for path in bodies_in(store):
        with suppress(FileNotFoundError):
            size += path.stat().st_size if path.suffix != ".json" else 0
    return size


def blobs(folder: Path) -> set[str]:
    return {path.name for path in files_in(folder / "store", "blobs")}


def test_one_round_fetches_copies_reports_and_proves(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    file, copied = noise(300_000, 1), noise(400_000, 2)
    source.serves("/a.bin", *whole(file))
    good = api.wants(source.url("/a.bin"), checksum=f"sha256:{sha256(file)}")
    wrong = api.wants(source.url("/a.bin"), checksum=f"sha256:{sha256(copied)}")
    missing = api.wants(source.url("/b.csv"), format="CSV")
    copy = api.mirrors(copied)

    node = one_round(api.url, tmp_path)

    assert node.went_well
    assert api.settled == {good: "stored", copy: "stored", missing: "not-found", wrong: "mismatch"}
    assert api.uploaded == {sha256(file): file, sha256(copied): copied}
    assert blobs(tmp_path) == {sha256(file), sha256(copied)}
    assert api.begun == set() or api.begun <= {good, wrong, missing, copy}
    status = node_status(NodeFolder(tmp_path))
    assert (status["files"], status["proved"], status["to_report"], status["running"]) == (2, 2, 0, False)


def test_the_token_is_for_its_owners_eyes_and_the_next_run_does_not_join_again(
    api: NodeApi, tmp_path: Path
) -> None:
    one_round(api.url, tmp_path, name="blue-whale")
    one_round(api.url, tmp_path)

    assert api.count("/nodes") == 1
    assert stat.S_IMODE((tmp_path / "identity.json").stat().st_mode) == 0o600
    assert api.nodes["blue-whale"] in (tmp_path / "identity.json").read_text()


def test_a_token_that_opens_nothing_ends_it_with_a_sentence(api: NodeApi, tmp_path: Path) -> None:
    with pytest.raises(ApiDenied, match="needs a token"):
        one_round(api.url, tmp_path, name="blue-whale", token="shelter_wrong")


def test_an_invitation_opens_the_door_and_a_nodes_own_token_an_empty_folder(
    api: NodeApi, tmp_path: Path
) -> None:
    api.invitations.add("shelter_welcome")

    one_round(api.url, tmp_path / "one", name="blue-whale", token="shelter_welcome")
    one_round(api.url, tmp_path / "two", name="blue-whale", token=api.nodes["blue-whale"])

    for folder in ("one", "two"):
        identity = NodeFolder(tmp_path / folder).identity()
        assert identity is not None
        assert (identity.node_id, identity.token) == ("blue-whale", api.nodes["blue-whale"])


def test_a_result_that_the_api_cannot_read_costs_no_other(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    source.serves("/a.bin", *whole(noise(1000)))
    numbers = [api.wants(source.url("/a.bin")) for _ in range(4)]
    api.refuses.add(numbers[1])

    node = one_round(api.url, tmp_path)

    assert not node.went_well
    assert sorted(api.settled) == [number for number in numbers if number != numbers[1]]
    assert len(node.told("not-taken")) == 1


def test_too_old_a_node_is_told_how_to_update(tmp_path: Path) -> None:
    with NodeApi(minimum_version="9") as api, pytest.raises(NodeTooOld, match="pip install -U"):
        one_round(api.url, tmp_path)


def test_a_folder_serves_one_api_one_name_and_one_process(api: NodeApi, tmp_path: Path) -> None:
    with a_node(api.url, tmp_path, name="blue-whale") as node:
        node.until(lambda: bool(node.told("no-work")))
        with pytest.raises(SetupError, match="another node works"):
            one_round(api.url, tmp_path)
    with pytest.raises(SetupError, match="belongs to the node blue-whale"):
        one_round(api.url, tmp_path, name="grey-seal")
    with pytest.raises(SetupError, match="give another --folder"):
        one_round("http://127.0.0.1:9", tmp_path)


def test_a_taken_name_is_said_to_be_taken(api: NodeApi, tmp_path: Path) -> None:
    one_round(api.url, tmp_path / "one", name="blue-whale")

    with pytest.raises(SetupError, match="choose another --name"):
        one_round(api.url, tmp_path / "two", name="blue-whale")


def test_answers_that_get_lost_and_errors_in_between_double_nothing(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    for number in range(12):
        source.serves(f"/{number}.bin", *whole(noise(20_000, number)))
        api.wants(source.url(f"/{number}.bin"))
    seen: Counter[str] = Counter()
    faults = {
        "/allocate": {1: "lose"},
        "/complete": {1: "lose", 2: "drop", 3: 503, 4: 409},
        "/heartbeat": {2: "drop", 3: 503},
        "/uploads": {1: "drop"},
        "PUT": {2: "drop", 4: 503},
    }

    def fault(method: str, path: str) -> int | str | None:
        name = "PUT" if method == "PUT" else path
        seen[name] += 1
        return faults.get(name, {}).get(seen[name])

    api.fault = fault

    node = one_round(api.url, tmp_path)

    assert node.went_well
    assert set(api.settled) == set(api.assets)
    assert Counter(api.outcomes) == Counter((number, "settled") for number in api.assets)
    assert len(api.uploaded) == 12
    assert len(api.allocations) == 1
    assert len(node.told("api-away")) == len(node.told("api-back"))


def test_a_copy_that_breaks_goes_on_where_it_broke(api: NodeApi, tmp_path: Path) -> None:
    data = noise(2_000_000)
    number = api.mirrors(data)
    breaks = iter(["drop"])
    api.fault = lambda method, _path: next(breaks, None) if method == "FILE" else None

    assert one_round(api.url, tmp_path).went_well

    firsts = [first for method, path, first in api.asked if path.startswith("/files/")]
    assert len(firsts) == 2
    assert 800_000 < firsts[1] <= 1_000_000
    assert api.settled == {number: "stored"}


def test_a_mirror_that_serves_other_bytes_is_not_believed(api: NodeApi, tmp_path: Path) -> None:
    number = api.mirrors(noise(50_000, 1))
    api.files[api.assets[number].item["sha256"]] = noise(50_000, 2)

    node = one_round(api.url, tmp_path)

    assert not node.went_well
    assert (api.settled, api.released) == ({}, [number])
    assert bodies_in(tmp_path / "store") == []
    assert [facts["reason"] for facts in node.told("given-back")] == ["mismatch"]


def test_a_lost_lease_stops_the_download_and_what_arrived_is_used_later(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    body = noise(600_000)
    source.serves_in_turn("/a.bin", slow(body, 'ETag: "1"'), ranged(body, '"1"'))
    number = api.wants(source.url("/a.bin"))
    with a_node(api.url, tmp_path) as node:
        node.until(lambda: number in api.begun)
        api.expire(number)
        node.until(lambda: bool(node.told("lost")) and not node.worker.snapshot().running)
    assert api.settled == {}
    api.assets[number].token = None

    one_round(api.url, tmp_path)

    assert api.settled == {number: "stored"}
    assert field(source.log[-1].head, "Range") is not None
    assert "resumed" in api.results[-1]["flags"]


def test_asked_to_stop_it_gives_back_what_is_not_done_and_keeps_what_arrived(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    source.serves("/quick.bin", *whole(noise(5_000)))
    source.serves("/slow.bin", *slow(noise(600_000), 'ETag: "1"'))
    quick, endless = api.wants(source.url("/quick.bin")), api.wants(source.url("/slow.bin"))
    with a_node(api.url, tmp_path) as node:
        node.until(lambda: api.settled == {quick: "stored"} and endless in api.begun)
        node.stop()

    assert api.released == [endless]
    assert not node.told("given-back")
    assert len(files_in(tmp_path / "store", "partial")) == 2  # the bytes, and their note
    assert node.told("ended-all")[0]["files"] == 1


def test_files_that_fail_while_the_api_cannot_be_reached_either_are_not_reported(
    api: NodeApi, tmp_path: Path
) -> None:
    """What a cable that is pulled out looks like: the source is not to blame."""
    [port] = free_ports(1)
    for number in range(5):
        api.wants(f"http://127.0.0.1:{port}/{number}.bin")
    api.fault = lambda _method, _path: "drop" if api.allocations and api.count("/heartbeat") else None
    with a_node(api.url, tmp_path) as node:
        node.until(lambda: len(node.told("given-back")) == 5)
        assert api.settled == {}
        api.fault = lambda _method, _path: None
        node.until(lambda: sorted(api.released) == sorted(api.assets))
    assert api.results == []


def test_a_source_that_does_not_answer_is_reported_while_the_api_is_there(
    api: NodeApi, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    number = api.wants(f"http://127.0.0.1:{port}/a.bin")

    assert one_round(api.url, tmp_path).went_well

    assert api.settled == {number: "connect-failed"}


def test_the_space_given_is_never_exceeded_whatever_sizes_are_said(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    """Estimates say next to nothing; together the files are four times the space."""
    for number in range(8):
        source.serves(f"/{number}.bin", *whole(noise(1_000_000, number)))
        api.wants(source.url(f"/{number}.bin"), size_mb=0.01)
    most = 0
    with a_node(api.url, tmp_path, given_bytes=2_500_000) as node:

        def is_full() -> bool:
            nonlocal most
            most = max(most, on_disk(tmp_path / "store"))
            return bool(node.told("full"))

        node.until(is_full)
        node.until(lambda: bool(api.released))
        asked = len(api.allocations)
        used = node.worker.snapshot().used_bytes
        assert is_full()

    assert max(most, used) <= 2_500_000
    assert set(api.settled.values()) <= {"stored"}
    assert asked <= 2
    assert "no-space" not in {result["reason"] for result in api.results}


def test_a_disk_that_is_full_costs_no_result_and_blames_nobody(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "size=5m") as disk:
        for number in range(10):
            source.serves(f"/{number}.bin", *whole(noise(1_000_000, number)))
            api.wants(source.url(f"/{number}.bin"), size_mb=0.01)
        with a_node(api.url, disk.path / "node") as node:
            node.until(lambda: bool(node.told("full")))
            disk.fill()
            node.until(lambda: not node.worker.snapshot().running)
            disk.change("size=50m")
            node.until(lambda: len(api.settled) + len(set(api.released)) == 10)
            node.stop()

    assert set(api.settled.values()) == {"stored"}
    assert node.told("given-back")


def test_a_file_that_is_larger_than_the_space_is_given_back(api: NodeApi, tmp_path: Path) -> None:
    number = api.mirrors(noise(3_000_000))
    api.assets[number].item["size_mb"] = api.assets[number].item["size_bytes"] = 0

    node = one_round(api.url, tmp_path, given_bytes=2_000_000)

    assert not node.went_well
    assert (api.settled, api.released) == ({}, [number])
    assert bodies_in(tmp_path / "store") == []


def test_outside_its_hours_it_takes_nothing_and_still_answers_challenges(
    api: NodeApi, tmp_path: Path
) -> None:
    data = noise(10_000)
    api.mirrors(data)
    assert one_round(api.url, tmp_path).went_well
    api.mirrors(noise(10_000, 1))
    number = api.challenges_for(sha256(data), data, (0, 99), (5_000, 9_999))

    hour = (datetime.now().astimezone().hour + 2) % 24
    with a_node(api.url, tmp_path, hours=f"{hour}-{hour + 1}") as node:
        node.until(lambda: number in api.answers)
        node.until(lambda: bool(node.told("hours-closed")))

    asked = api.challenges[number]
    assert api.answers[number]["answer"] == challenge_answer(
        bytes.fromhex(asked["nonce"]), [((0, 99), [data[:100]]), ((5_000, 9_999), [data[5_000:]])]
    )
    assert len(api.allocations) == 1


def test_a_file_that_rotted_is_said_to_be_missing_and_put_aside(api: NodeApi, tmp_path: Path) -> None:
    data = noise(10_000)
    api.mirrors(data)
    one_round(api.url, tmp_path)
    [path] = files_in(tmp_path / "store", "blobs")
    path.chmod(0o600)
    path.write_bytes(noise(10_000, 7))
    (tmp_path / "journal.sqlite3").unlink()  # so that nothing says when it was read
    number = api.challenges_for(sha256(data), data, (0, 9_999))

    node = one_round(api.url, tmp_path)

    assert api.answers[number] == {"node_id": "node-1", "missing": True}
    assert node.told("rotten")
    assert len(files_in(tmp_path / "store", "quarantine")) == 1


@pytest.mark.parametrize(
    "damage", [b"", b"this is no database" * 100, None], ids=["empty", "rubbish", "cut in the middle"]
)
def test_a_damaged_journal_is_moved_aside_and_the_files_are_found_again(
    api: NodeApi, tmp_path: Path, damage: bytes | None
) -> None:
    api.mirrors(noise(10_000))
    one_round(api.url, tmp_path)
    journal = tmp_path / "journal.sqlite3"
    journal.write_bytes(journal.read_bytes()[:5000] if damage is None else damage)

    node = one_round(api.url, tmp_path)

    assert node_status(NodeFolder(tmp_path))["files"] == 1
    assert bool(list(tmp_path.glob("journal.sqlite3.damaged-*"))) == (damage != b"")
    assert bool(node.told("journal-damaged")) == (damage != b"")
    assert node.told("found") == [{"files": 1}]
    assert ("POST", "/release", {"node_id": "node-1", "all": True}) in api.asked or damage == b""


def test_work_that_cannot_be_understood_is_passed_over(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    source.serves("/a.bin", *whole(noise(1000)))
    api.wants("", purpose="copy", sha256="0" * 64, mirror="//elsewhere.example/files/x")
    api.wants(source.url("/a.bin"), purpose="sing")
    api.wants(source.url("/a.bin"), size_bytes=-5)
    good = api.wants(source.url("/a.bin"))

    node = one_round(api.url, tmp_path)

    assert api.settled == {good: "stored"}
    assert len(node.told("unreadable")) == 3


def test_what_a_catalogue_says_never_leads_into_a_private_network(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    """The API may be private, by the volunteer's choice; what it hands out may not."""
    number = api.wants(source.url("/a.bin"))

    one_round(api.url, tmp_path, settings={"allowed_networks": ""})

    assert api.settled == {number: "private-address"}
    assert source.accepted == 0


def test_a_cut_download_goes_on_within_the_same_round(
    api: NodeApi, source: FaultServer, tmp_path: Path
) -> None:
    body = noise(500_000)
    source.serves_in_turn("/a.bin", cut_after(body, 200_000, 'ETag: "1"'), ranged(body, '"1"'))
    number = api.wants(source.url("/a.bin"))

    one_round(api.url, tmp_path)

    assert api.settled == {number: "stored"}
    assert blobs(tmp_path) == {sha256(body)}


def test_who_signs_off_gives_back_its_work_and_joins_anew(api: NodeApi, tmp_path: Path) -> None:
    one_round(api.url, tmp_path, name="blue-whale")

    said = sign_off(NodeFolder(tmp_path), version="1", user_agent=USER_AGENT)

    assert (said["status"], said["node_id"]) == ("signed-off", "blue-whale")
    assert json.loads((tmp_path / "identity.json").read_text())["token"] is None
    with pytest.raises(SetupError, match="no node lives"):
        sign_off(NodeFolder(tmp_path), version="1", user_agent=USER_AGENT)
    one_round(api.url, tmp_path, name="grey-seal")
    assert set(api.nodes) == {"blue-whale", "grey-seal"}
