"""Who may ask for what: tokens, the machine's own programs, and what only looks like them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from fastapi import APIRouter

from shelter_pipeline.api.security import Asking, Operator, Registrar, speaking_for
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import know_node
from shelter_pipeline.catalog.tokens import issue_token, list_tokens, revoke_token
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.tokens import prefix_of
from shelter_pipeline.logs import JsonFormatter, keep_secrets_out
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api

probe = APIRouter()


@probe.post("/probe/operator")
def _as_operator(asking: Operator) -> dict[str, str]:
    return {"who": asking.who}


@probe.post("/probe/nodes/{name}")
def _as_node(asking: Asking, name: str) -> dict[str, str]:
    speaking_for(asking, name)
    return {"who": asking.who}


@probe.post("/probe/register")
def _as_registrar(asking: Registrar) -> dict[str, str]:
    return {"who": asking.who}


@probe.post("/probe/unguarded")
def _unguarded(asking: Asking) -> dict[str, str]:
    return {"who": asking.who}


@probe.get("/probe/read")
def _read(asking: Asking) -> dict[str, str]:
    return {"who": asking.who}


OPERATOR, READ = "/probe/operator", "/probe/read"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API whose writes need a token, as in production."""
    with an_api(catalog_url, tmp_path / "store", routes=(probe,), api_writes="token") as running:
        yield running


@pytest.fixture
def local(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API as `shelter up` runs it."""
    with an_api(catalog_url, tmp_path / "store", routes=(probe,)) as running:
        yield running


def token_for(api: ApiUnderTest, *scopes: str, node: str | None = None, **more: object) -> str:
    catalog = api.workplace.catalog
    return issue_token(
        catalog,
        scopes=scopes,
        node_id=know_node(catalog, node).id if node else None,
        label="a test",
        pepper=api_pepper(api.workplace.settings),
        **more,
    )


def test_every_token_that_opens_nothing_gets_the_same_answer(guarded: ApiUnderTest) -> None:
    good = token_for(guarded, "operator")
    revoked = token_for(guarded, "operator")
    revoke_token(guarded.workplace.catalog, prefix_of(revoked))
    expired = token_for(guarded, "operator", expires=timedelta(seconds=-1))
    swapped = good[:-1] + ("A" if good[-1] != "A" else "B")
    unknown = good.replace(prefix_of(good), "0" * 12)
    bad = [
        "",
        "x",
        revoked,
        expired,
        swapped,
        unknown,
        good[:-7],
        good + "A",
        "ключ",
        "\xff\xfe",
        "t" * 1_000_000,
    ]

    answers = []
    for token in bad:
        answer = guarded.post(OPERATOR, headers={"Authorization": b"Bearer " + token.encode()})
        answers.append((answer.status_code, answer.text, answer.headers["WWW-Authenticate"]))
    nothing = guarded.post(OPERATOR)

    assert set(answers) == {(401, nothing.text, "Bearer")}
    assert nothing.status_code == 401
    assert guarded.post(OPERATOR, headers=bearer(good)).status_code == 200


def test_a_good_token_may_do_what_it_is_for_and_nothing_else(guarded: ApiUnderTest) -> None:
    operator, register = token_for(guarded, "operator"), token_for(guarded, "register")
    node = token_for(guarded, "node", node="whale")

    def status(path: str, token: str) -> int:
        return guarded.post(path, headers=bearer(token)).status_code

    assert [status(OPERATOR, token) for token in (operator, register, node)] == [200, 403, 403]
    assert [status("/probe/nodes/whale", token) for token in (operator, register, node)] == [403, 403, 200]
    assert status("/probe/nodes/orca", node) == 403
    assert guarded.post("/probe/nodes/whale").status_code == 401
    assert guarded.post("/probe/nodes/whale", headers=bearer(node)).json() == {"who": "node:whale"}


def test_a_write_without_a_token_is_refused_even_where_a_route_forgot_to_ask(guarded: ApiUnderTest) -> None:
    assert guarded.post("/probe/unguarded").status_code == 401
    assert guarded.get(READ).json() == {"who": "anonymous"}


def test_a_revoked_token_is_refused_within_a_second(guarded: ApiUnderTest) -> None:
    token = token_for(guarded, "operator")
    assert guarded.post(OPERATOR, headers=bearer(token)).status_code == 200

    revoke_token(guarded.workplace.catalog, prefix_of(token))
    time.sleep(1)

    assert guarded.post(OPERATOR, headers=bearer(token)).status_code == 401


def test_a_bad_token_is_refused_where_none_would_have_been_needed(local: ApiUnderTest) -> None:
    assert local.post(OPERATOR).json() == {"who": "local"}
    assert local.post(OPERATOR, headers=bearer("x")).status_code == 401
    assert local.post(OPERATOR, headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert local.get(READ, headers=bearer("x")).status_code == 401
    # The key of an old CKAN hinders nobody from reading.
    assert local.get(READ, headers={"Authorization": "0bf3-a key"}).status_code == 200


def test_what_only_looks_like_this_machine_may_read_and_not_write(local: ApiUnderTest) -> None:
    for headers in (
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "203.0.113.9"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert local.post(OPERATOR, headers=headers).status_code == 401, headers
        assert local.get(READ, headers=headers).json() == {"who": "anonymous"}, headers


def test_programs_and_pages_of_this_machine_may_write(local: ApiUnderTest) -> None:
    port = local.url.rpartition(":")[2]

    for headers in (
        {"Host": f"localhost:{port}"},
        {"Host": f"[::1]:{port}"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": local.url},
    ):
        assert local.post(OPERATOR, headers=headers).json() == {"who": "local"}, headers


def test_nodes_join_freely_or_by_invitation(catalog: Catalog, catalog_url: str, tmp_path: Path) -> None:
    changes = {"api_writes": "token", "api_registration": "invite"}
    with an_api(catalog_url, tmp_path / "store", routes=(probe,), **changes) as invited:
        register, node = token_for(invited, "register"), token_for(invited, "node", node="whale")

        assert invited.post("/probe/register").status_code == 401
        assert invited.post("/probe/register", headers=bearer(node)).status_code == 403
        assert invited.post("/probe/register", headers=bearer(register)).status_code == 200


@pytest.fixture
def access_log(guarded: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the API of this process writes of requests, as `shelter api` writes it."""
    written, log = StringIO(), logging.getLogger("shelter.access")
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    monkeypatch.setattr(log, "handlers", [handler])
    monkeypatch.setattr(log, "level", logging.INFO)
    before = logging.getLogRecordFactory()
    keep_secrets_out(guarded.workplace.settings)
    yield written
    logging.setLogRecordFactory(before)


def test_a_token_is_nowhere_but_with_who_has_it(
    guarded: ApiUnderTest, access_log: StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    tokens = [token_for(guarded, "operator"), token_for(guarded, "node", node="whale")]
    for token in tokens:
        guarded.post(OPERATOR, headers=bearer(token))
        guarded.get(f"/probe/{token}", params={"key": token})

    joined = guarded.post("/nodes", {"name": "orca", "contact": "me@example.org"}).json()
    tokens.append(joined["token"])
    for _ in range(2):  # what is kept of an idempotent request is in the catalog as well
        work = {"node_id": "orca", "free_space_gb": 1}
        guarded.post("/allocate", work, headers=bearer(joined["token"]) | {"Idempotency-Key": "k"})

    tables = whole_catalog(guarded)

    # The client that the test itself uses logs what it asks for.
    logged = " ".join(one.getMessage() for one in caplog.records if not one.name.startswith("urllib3"))
    kept = tables + logged + access_log.getvalue() + guarded.get("/metrics").text
    assert "/probe/shelter_node_" in access_log.getvalue()
    assert not [token for token in tokens if token[-43:] in kept]
    assert [row.last_used_at is not None for row in list_tokens(guarded.workplace.catalog)] == [True] * 3
    assert "orca" in tables


def whole_catalog(api: ApiUnderTest) -> str:
    """Every row of every table as text: what a dump has."""
    with api.workplace.catalog.begin() as connection:
        names = connection.exec_driver_sql(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).scalars()
        every = "SELECT string_agg(t::text, ' ') FROM {} AS t"
        rows = [connection.exec_driver_sql(every.format(name)).scalar_one() for name in names.all()]
    return " ".join(filter(None, rows))


def test_what_the_machine_makes_by_itself_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as threads:
        peppers = set(threads.map(lambda _: api_pepper(settings), range(32)))

    [file] = (tmp_path / "home").iterdir()
    assert len(peppers) == 1
    assert len(peppers.pop()) == 64
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_cut_off_is_said_so_and_not_replaced(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    (tmp_path / "api-pepper").write_text("short")

    with pytest.raises(SetupError, match="cut off"):
        api_pepper(settings)

    assert (tmp_path / "api-pepper").read_text() == "short"
