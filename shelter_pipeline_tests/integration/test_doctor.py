"""`shelter doctor` on sound systems and on broken ones: it names what is wrong, in time, and changes nothing."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import sql
from pydantic import SecretStr
from typer.testing import CliRunner

from shelter_pipeline.catalog.alerts import note_failure, take_channel
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.scrubs import note_scrub
from shelter_pipeline.cli import app
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.findings import ok
from shelter_pipeline.operations.alerts import EngineSigns, look
from shelter_pipeline.operations.doctor import databases
from shelter_pipeline.operations.doctor.examine import CHECKS, examine
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.hook_server import HookServer, serving_hooks
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.s3_proxy import S3Proxy, Way
from shelter_pipeline_tests.support.seaweedfs import SeaweedFS
from shelter_pipeline_tests.support.shelter_process import shelter
from shelter_pipeline_tests.support.small_disk import small_disk
from shelter_pipeline_tests.support.workplaces import a_workplace, settings_for

Findings = list[tuple[str, str, str]]


def found(settings: Settings, *checks: str, seconds: float = 20) -> Findings:
    chosen = {name: CHECKS[name] for name in checks}
    report = examine(settings, checks=chosen, longest_seconds=seconds)
    return [(each["check"], each["verdict"], each["message"]) for each in report["findings"]]


def troubles(findings: Findings) -> list[tuple[str, str]]:
    return [(verdict, message) for _, verdict, message in findings if verdict in ("warning", "failed")]


def change(catalog: Catalog, text: str, **parameters: Any) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(text), parameters)


def revise(catalog: Catalog, revision: str | None) -> None:
    """Say that the schema is of this revision."""
    change(catalog, "DELETE FROM alembic_version")
    if revision:
        change(catalog, "INSERT INTO alembic_version VALUES (:revision)", revision=revision)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield int(listening.getsockname()[1])


@pytest.fixture
def settings(catalog_url: str, tmp_path: Path) -> Settings:
    return settings_for(catalog_url, tmp_path / "store", dagster_port=free_ports(1)[0])


# The tests' PostgreSQL trades safety for speed, and the doctor sees it.
UNSAFE = (
    "failed",
    "fsync, full_page_writes or synchronous_commit is off: a power cut loses what was said to be saved",
)


def test_with_nothing_configured_and_nothing_running_nothing_fails_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    (port,) = free_ports(1)

    ended = shelter("doctor", "--json", home=home, dagster_port=port)

    assert ended.code == 0, ended.errors
    verdicts = {each["check"]: each["verdict"] for each in ended.said["findings"]}
    assert verdicts["catalog"] == verdicts["dagster"] == verdicts["store"] == "skipped"
    assert verdicts["settings"] == verdicts["disk"] == "ok"
    assert not home.exists()


def test_a_setting_that_does_not_parse_is_a_finding_and_no_secret_is_shown(tmp_path: Path) -> None:
    ended = shelter(
        "doctor",
        "--json",
        home=tmp_path,
        lease_seconds="soon",
        alert_slack_url="ftp://hooks.example/T0/s3cret",
        lease_second="1",
    )

    assert ended.code == 1
    (finding,) = ended.said["findings"]
    assert "SHELTER_LEASE_SECONDS" in finding["message"]
    assert "SHELTER_ALERT_SLACK_URL" in finding["message"]
    assert "s3cret" not in ended.output.decode() + ended.errors
    assert "SHELTER_LEASE_SECOND is no setting" in ended.errors


def test_people_see_a_table_with_what_to_do(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    ended = shelter("doctor", home=tmp_path, dagster_port=port, broker_url="redis://:s3cret@127.0.0.1:1/0")

    assert ended.code == 1
    shown = " ".join(ended.output.decode().split())
    assert "SHELTER_DATABASE_URL is not" in shown
    assert "→ Set SHELTER_DATABASE_URL" in shown
    assert "s3cret" not in shown + ended.errors


def test_a_sound_system_is_found_sound_and_its_store_is_as_it_was(
    settings: Settings, catalog: Catalog, tmp_path: Path
) -> None:
    LocalStore(tmp_path / "store")
    (tmp_path / "store" / "partial" / "somebody.part").write_bytes(b"on its way")
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "store").rglob("*.part"))

    findings = found(settings, "settings", "catalog", "store", "disks", "machine", "workers")

    assert troubles(findings) == [UNSAFE]
    assert ("store", "ok", f"{tmp_path / 'store'} takes a file, keeps it, gives it back") in findings
    assert any(check == "clock" and verdict == "ok" for check, verdict, _ in findings)
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "store").rglob("*.part")) == before


@pytest.mark.parametrize(
    ("revision", "verdict", "words"),
    [
        ("0013", "failed", "this release needs"),
        ("9999", "failed", "of a newer one"),
        (None, "warning", "no schema"),
    ],
)
def test_a_schema_of_another_release_is_named_and_hides_what_needs_it(
    settings: Settings, catalog: Catalog, revision: str | None, verdict: str, words: str
) -> None:
    with catalog.begin() as connection:
        current = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        mark = connection.scalar(sa.text("SELECT obj_description('alembic_version'::regclass, 'pg_class')"))
    try:
        revise(catalog, revision)
        change(catalog, "COMMENT ON TABLE alembic_version IS 'code since 9999'")
        findings = found(settings, "catalog", "workers", "alerts")
    finally:
        change(catalog, f"COMMENT ON TABLE alembic_version IS '{mark}'")
        revise(catalog, current)

    assert any(seen == verdict and words in message for seen, message in troubles(findings))
    assert ("workers", "skipped", "the catalog's schema is not of this release") in findings


def test_a_schema_of_a_newer_release_that_lets_this_one_go_on_hides_nothing(
    settings: Settings, catalog: Catalog
) -> None:
    with catalog.begin() as connection:
        current = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    try:
        revise(catalog, "9999")
        findings = found(settings, "catalog", "workers")
    finally:
        revise(catalog, current)

    assert any(seen == "warning" and "lets this one" in message for seen, message in troubles(findings))
    assert not any("schema is not of this release" in message for _check, _seen, message in findings)


def test_a_database_that_is_not_there_or_says_nothing_is_a_finding_in_time(
    settings: Settings, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    with black_hole() as hole:
        for number in (port, hole):
            url = f"postgresql://me:s3cret@127.0.0.1:{number}/shelter"
            away = settings_for(url, tmp_path / "store", dagster_database_url=url)
            findings = found(away, "catalog", "dagster database", "workers", "store", seconds=60)

            assert not any("no answer within" in message for _check, _verdict, message in findings)
            verdicts = {check: verdict for check, verdict, _ in findings}
            assert verdicts["catalog"] == verdicts["dagster database"] == "failed"
            assert verdicts["store"] == "skipped"
            assert "s3cret" not in str(findings)


def test_a_role_that_may_not_write_is_named(
    settings: Settings, postgres: PostgresForTests, catalog: Catalog, tmp_path: Path
) -> None:
    name = sql.Identifier("onlooker")
    postgres.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    try:
        change(catalog, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker")
        url = catalog.url.set(username="onlooker").render_as_string(hide_password=False)

        findings = found(settings_for(url, tmp_path / "store"), "catalog")
    finally:
        change(catalog, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM onlooker")
        postgres.execute(sql.SQL("DROP ROLE {}").format(name))

    assert ("failed", "the role onlooker may not write") in troubles(findings)


def test_a_clock_that_is_two_hours_wrong_is_a_finding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        databases, "time", type("Wrong", (), {"time": staticmethod(lambda: time.time() + 7200)})
    )

    findings = found(settings, "catalog")

    assert any(check == "clock" and "7,200 s ahead" in message for check, _, message in findings)


def test_dagsters_database_is_tried_for_its_driver_its_tables_and_the_right_to_write(
    settings: Settings, catalog: Catalog, tmp_path: Path
) -> None:
    bare = catalog.url.set(drivername="postgresql").render_as_string(hide_password=False)
    given = settings_for(bare, tmp_path / "store", dagster_database_url=bare)
    assert [verdict for verdict, _ in troubles(found(given, "dagster database"))] == ["warning", "warning"]

    change(catalog, "CREATE TABLE event_logs (id int); CREATE TABLE runs (id int)")
    try:
        driven = settings_for(
            bare, tmp_path / "store", dagster_database_url=bare.replace("://", "+psycopg2://")
        )
        assert troubles(found(driven, "dagster database")) == []
    finally:
        change(catalog, "DROP TABLE event_logs, runs")

    missing = settings_for(bare, tmp_path / "store", dagster_database_url=None)
    ((verdict, message),) = troubles(found(missing, "dagster database"))
    assert verdict == "failed"
    assert "does not exist" in message


def test_where_no_dagster_answers_it_is_said_and_is_no_failure(settings: Settings) -> None:
    with serving_hooks(HookServer()) as other:
        port = int(other.url.rpartition(":")[2])
        findings = found(settings.model_copy(update={"dagster_port": port}), "dagster")

    for (seen,) in (findings, found(settings, "dagster")):
        assert seen[1] == "skipped"
        assert "no webserver of Dagster answers" in seen[2]


def test_a_store_that_is_full_read_only_or_none_is_named(settings: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=4m") as disk:
        store = disk.path / "store"
        LocalStore(store)
        on_disk = settings.model_copy(update={"store": str(store)})
        assert troubles(found(on_disk, "store", "disks")) == []
        disk.fill()
        assert {verdict for verdict, _ in troubles(found(on_disk, "store", "disks"))} == {"failed"}
        disk.empty()
        disk.change("ro")
        assert any("Read-only" in message for _, message in troubles(found(on_disk, "store")))
        disk.change("rw")

    LocalStore(tmp_path / "two")
    with small_disk(tmp_path / "two" / "blobs", "size=1m"):
        two = settings.model_copy(update={"store": str(tmp_path / "two")})
        assert "another file system" in troubles(found(two, "store"))[0][1]

    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis").touch()
    papers = settings.model_copy(update={"store": str(tmp_path / "papers")})
    assert "no store" in troubles(found(papers, "store"))[0][1]
    assert [path.name for path in (tmp_path / "papers").iterdir()] == ["thesis"]


def test_a_bucket_is_tried_and_what_its_server_does_not_keep_is_said(
    settings: Settings, seaweedfs: SeaweedFS, s3_place: str
) -> None:
    with S3Proxy(seaweedfs.port) as proxy:
        sound = settings.model_copy(update={"store": s3_place, "s3_endpoint_url": proxy.endpoint})
        assert [(check, verdict) for check, verdict, _ in found(sound, "store")] == [
            ("store", "ok"),
            ("clock", "ok"),
        ]
        proxy.rule = lambda request: Way(forget=("if-none-match",)) if request.method == "PUT" else None
        ((verdict, message),) = troubles(found(sound, "store"))
        assert verdict == "warning"
        assert "If-None-Match" in message

    missing = sound.model_copy(
        update={"store": "s3://no-such-bucket-here", "s3_endpoint_url": seaweedfs.endpoint}
    )
    assert troubles(found(missing, "store"))[0][0] == "failed"
    left = seaweedfs.client().list_objects_v2(Bucket="rescued", Prefix=s3_place.rpartition("/")[2])
    assert left["KeyCount"] == 0


@contextmanager
def redis(*arguments: str) -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *arguments],
        stdout=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_a_broker_is_asked_what_it_is_and_whether_it_forgets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis("--requirepass", "s3cret", "--maxmemory-policy", "allkeys-lru") as port:
        fleet = settings.model_copy(update={"broker_url": SecretStr(f"redis://:s3cret@127.0.0.1:{port}/0")})
        findings = found(fleet, "broker")
        assert findings[0][1] == "ok"
        assert [verdict for verdict, _ in troubles(findings)] == ["failed", "warning"]
        wrong = settings.model_copy(update={"broker_url": SecretStr(f"redis://:wr0ng@127.0.0.1:{port}/0")})
        ((verdict, message),) = troubles(found(wrong, "broker"))
        assert verdict == "failed"
        assert "refuses its user or password" in message
        assert "wr0ng" not in message
        monkeypatch.setenv("SHELTER_BROKER_URL", f"redis://:wr0ng@127.0.0.1:{port}/0")
        monkeypatch.setenv("SHELTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        ended = CliRunner().invoke(app, ["worker"])
        assert isinstance(ended.exception, SetupError)
        assert "SHELTER_BROKER_URL: the broker at redis://127.0.0.1" in str(ended.exception)
        assert "wr0ng" not in str(ended.exception)

    with black_hole() as hole:
        for scheme in ("redis", "amqp"):
            silent = settings.model_copy(update={"broker_url": SecretStr(f"{scheme}://127.0.0.1:{hole}//")})
            ((_check, verdict, message),) = found(silent, "broker", seconds=60)
            assert verdict == "failed"
            assert "no answer within" not in message  # it gave up by itself


def test_machines_of_the_fleet_that_are_silent_old_or_wrong_are_named(
    settings: Settings, catalog: Catalog
) -> None:
    change(
        catalog,
        "INSERT INTO worker (name, host, release, slots, queues, clock_offset_seconds, beat_at, ending) VALUES"
        " ('fine', 'h', 'r', 1, '{downloads,upkeep}', 0, now(), false),"
        " ('silent', 'h', 'r', 1, '{catalog}', 0, now() - interval '2 hours', false),"
        " ('gone', 'h', 'r', 1, '{}', 0, now() - interval '2 hours', true),"
        " ('wrong', 'h', 'r', 1, '{}', 7200, now(), false),"
        " ('waits', 'h', 'r', 1, '{}', -7200, now(), true)",
    )

    said = " / ".join(message for _, message in troubles(found(settings, "workers")))

    assert "silent on h is silent for 120 minutes" in said
    assert "fine on h is of release r" in said
    assert "the clock of wrong on h differs by 7,200 s" in said
    assert "the clock of waits on h differs by -7,200 s" in said
    assert "gone" not in said
    assert "no worker that is alive takes catalog, dagster: runs of that kind wait" in said
    assert "slots" not in said

    change(catalog, "UPDATE worker SET slots = 3 WHERE NOT ending")
    fleet = settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:1/0")})
    assert "they have 6 slots together, and 4 runs may go on at once" in str(found(fleet, "workers"))


def test_channels_that_fail_looks_that_nobody_takes_and_open_troubles_are_seen(
    catalog_url: str, tmp_path: Path
) -> None:
    with a_workplace(
        catalog_url, tmp_path / "store", alert_webhook_url="http://127.0.0.1:1/s3cret"
    ) as workplace:
        settings = workplace.settings
        ((verdict, message),) = troubles(found(settings, "alerts"))
        assert (verdict, message) == (
            "failed",
            "Dagster has not looked for troubles ever, so most would be told to nobody",
        )

        counts = dict.fromkeys(("ok", "damaged", "missing", "extra", "bytes_read"), 1)
        note_scrub(workplace.catalog, "s", counts | {"damaged_files": [], "missing_files": []})
        look(workplace, EngineSigns())
        take_channel(workplace.catalog, "webhook", pause_seconds=0, speaking_seconds=1)
        note_failure(workplace.catalog, "webhook", "it answers 500")
        assert troubles(found(settings, "alerts")) == [
            ("warning", "webhook does not take messages (1 in a row): it answers 500"),
            ("failed", "urgent troubles that last: 1"),
        ]


def test_a_check_that_hangs_or_breaks_keeps_no_other_from_being_heard(settings: Settings) -> None:
    end = threading.Event()

    def hangs(_settings: Settings) -> Iterator[Any]:
        yield ok("hangs", "half of it")
        end.wait()

    def breaks(_settings: Settings) -> Iterator[Any]:
        raise RuntimeError("s3cret")
        yield

    report = examine(
        settings,
        checks={"hangs": hangs, "breaks": breaks, "fine": lambda _: [ok("fine", "all of it")]},
        longest_seconds=0.2,
    )
    end.set()

    assert [(each["check"], each["verdict"]) for each in report["findings"]] == [
        ("hangs", "ok"),
        ("hangs", "failed"),
        ("breaks", "failed"),
        ("fine", "ok"),
    ]
    assert report["sound"] is False
    assert "s3cret" not in json.dumps(report)


def test_settings_that_cannot_work_together_are_named(settings: Settings) -> None:
    odd = settings.model_copy(
        update={
            "broker_url": SecretStr("redis://127.0.0.1/0"),
            "lease_seconds": 5,
            "bind_address": "0.0.0.0",
            "fetch_head_timeout_seconds": 10**6,
            "alert_email_to": ("a@example.org",),
            "robots": "ignore",
            "discovery_shortest_hours": 10**6,
        }
    )

    said = " / ".join(message for _, message in troubles(found(odd, "settings")))

    for words in (
        "SHELTER_LEASE_SECONDS is 5",
        "each machine would keep files on its own disk",
        "asks nobody for a password",
        "SHELTER_FETCH_HEAD_TIMEOUT_SECONDS is longer",
        "SHELTER_DISCOVERY_SHORTEST_HOURS is longer",
        "SHELTER_SMTP_URL is not",
        "SHELTER_ROBOTS is ignore",
    ):
        assert words in said
