"""Rows D of the fault list that need no network of their own: odd URLs, redirects to nowhere, the environment.

Addresses themselves are tried in `test_private_internet`, where every one of them answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.fetching.door import Door
from shelter_pipeline_tests.support.behaviours import by_method, noise, redirect, redirect_chain
from shelter_pipeline_tests.support.certificates import Authority
from shelter_pipeline_tests.support.fault_server import Endless, FaultServer, field, head, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched, short_settings
from shelter_pipeline_tests.support.shelter_process import shelter

BODY = noise(5000)

BAD_URLS = [
    *("http://user@{host}/", "http://user:secret@{host}/", "http://:@{host}/", "http://@{host}/"),
    *(
        "http://{host}\\@example.org/",
        "http://example.org\\@{host}/",
        "http:\\\\{host}/",
        "http://{host}/a\\b",
    ),
    *("http://{host}/a\tb", "http://{host}/a\nb", "http://{host}/a\r\nX-Injected: 1", "http://{host}/a b"),
    *(
        "http://{host}/\x00",
        "http://{host}/\x7f",
        "http://{host}\t/",
        "ht\ttp://{host}/",
        "http://{host}/\u200b",
    ),
    *("http://{host}#@example.org/", "http://[{host}/", "http://[::1/", "http://]/", "http://[127.0.0.1]/"),
    *(
        "http://{host}/" + "x" * 8192,
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1:0/",
    ),
    *(
        "http://127.0.0.1:\uff11\uff12/",
        "http://127.0.0.1:8o/",
        "http://127.0.0.1:+80/",
        "http://127.0.0.1: 80/",
    ),
    *(
        "http:///{host}/",
        "http:/{host}/",
        "//{host}/",
        "{host}/",
        "http:",
        "http://",
        "://{host}/",
        "http://./",
    ),
    *(
        "http://[fe80::1%25lo]/",
        "http://[::1%lo]/",
        "http://a..b/",
        "http://-/",
        "http://" + "a" * 64 + ".org/",
    ),
    *(
        "http://" + "a." * 200 + "org/",
        "http://{host}\u3002/",
        "http://exa mple.org/",
        "http://exam\u00adple\u0000/",
    ),
]
SCHEMES = [
    "file",
    "gopher",
    "data",
    "javascript",
    "dict",
    "ldap",
    "blob",
    "jar",
    "tftp",
    "smb",
    "ws",
    "sftp",
    "scp",
]


@pytest.mark.parametrize(
    "number", range(len(BAD_URLS)), ids=lambda number: f"D17-{ascii(BAD_URLS[number])[1:40]}"
)
def test_a_url_with_a_trap_in_it_is_refused_without_a_request(
    server: FaultServer, tmp_path: Path, number: int
) -> None:
    url = BAD_URLS[number].replace("{host}", f"127.0.0.1:{server.port}")

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["requests"], said["sha256"]) == ("refused", 0, None)
    assert said["reason"] in ("bad-url", "bad-scheme", "private-address")
    assert server.accepted == 0
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: f"D12-{scheme}")
def test_no_redirect_leads_out_of_http(server: FaultServer, tmp_path: Path, scheme: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for number, rest in enumerate(
        (f"//127.0.0.1:{server.port}/hit", f"://{secret}", f":{secret}", ":text,x")
    ):
        url = server.serves(f"/{number}", *redirect(f"{scheme}{rest if rest[0] == ':' else ':' + rest}"))

        said = fetched(url, tmp_path / "store")

        assert (said["verdict"], said["reason"]) == ("permanent", "bad-redirect")
    assert server.requests("/hit") == 0
    assert server.accepted <= 8  # the robots.txt is asked on connections of its own
    assert bodies_in(tmp_path / "store") == []


LOCATIONS = {
    "none": [],
    "empty": ["Location:"],
    "two": ["Location: /a", "Location: /b"],
    "two that are equal": ["Location: /a", "Location: /a"],
    "itself": ["Location: /go"],
    "itself, relative": ["Location: ?"],
    "its fragment": ["Location: #there"],
    "with a tab": ["Location: /a\tb"],
    "with a control byte": ["Location: /a\x01b"],
    "with a bare CR": ["Location: /a\rX-Injected: 1"],
    "with a user": ["Location: http://user:secret@127.0.0.1/"],
    "with a backslash": ["Location: \\\\127.0.0.1\\a"],
    "of 9,000 characters": ["Location: /" + "a" * 9000],
    "to a port that is none": ["Location: http://127.0.0.1:99999/"],
}


@pytest.mark.parametrize("case", LOCATIONS, ids=lambda case: f"D14-{case}")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 For good"])
def test_a_redirect_to_no_place_is_permanent(
    server: FaultServer, tmp_path: Path, case: str, status: str
) -> None:
    url = server.serves("/go", *whole(b"moved", *LOCATIONS[case], status=status))

    said = fetched(url, tmp_path)

    assert said["verdict"] in ("permanent", "damaged")
    assert said["reason"] in ("bad-redirect", "head-invalid")
    assert server.requests("/go") == len([seen for seen in server.log if seen.path != "/robots.txt"]) == 1
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("length", [2, 3, 5], ids=lambda length: f"D14-loop of {length}")
def test_a_loop_of_redirects_ends(server: FaultServer, tmp_path: Path, length: int) -> None:
    url = redirect_chain(server, "loop", length, "/loop/0")

    said = fetched(url, tmp_path, fetch_max_redirects=10)

    assert (said["verdict"], said["reason"]) == ("permanent", "bad-redirect")
    assert said["requests"] <= length


def test_a_chain_of_twenty_one_ends_after_ten_redirects(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/end", *whole(BODY))
    url = redirect_chain(server, "D14", 21, "/end")

    said = fetched(url, tmp_path, fetch_max_redirects=10)

    assert (said["verdict"], said["reason"]) == ("permanent", "bad-redirect")
    assert said["requests"] <= 11
    assert server.requests("/end") == 0


def test_a_loop_that_grows_ends_too(server: FaultServer, tmp_path: Path) -> None:
    for number in range(30):
        server.serves(f"/a?{number}", *redirect(f"/a?{number + 1}"))

    said = fetched(server.url("/a?0"), tmp_path, fetch_max_redirects=10)

    assert (said["reason"], said["requests"] <= 11) == ("bad-redirect", True)


def test_the_body_of_a_redirect_is_never_the_file(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/end", *whole(BODY))
    endless = server.serves("/endless", head("Location: /end", status="302 Found"), Endless(bytes(65_536)))
    short = server.serves("/short", *redirect("/end", body=b"<a href=/end>moved</a>"))

    said = [fetched(url, tmp_path / str(number)) for number, url in enumerate((endless, short))]

    assert [(one["verdict"], one["size"]) for one in said] == [("stored", len(BODY))] * 2
    assert server.sent["/endless"] < 16_000_000


@pytest.mark.parametrize(
    "page",
    [
        whole(b'<meta http-equiv="refresh" content="0; url=/next">', "Content-Type: text/html"),
        whole(b"here", "Refresh: 0; url=/next"),
        whole(b"here", "Link: </next>; rel=canonical"),
        whole(b"here", "Content-Location: /next"),
        whole(b"here", "Location: /next"),
    ],
    ids=["D11-meta refresh", "D11-Refresh", "D11-Link", "D11-Content-Location", "D11-Location with 200"],
)
def test_nothing_but_a_redirect_is_followed(
    server: FaultServer, tmp_path: Path, page: tuple[object, ...]
) -> None:
    fetched(server.serves("/page", *page), tmp_path)

    assert server.requests("/next") == 0


def test_no_cookie_and_no_referrer_travels(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/end", *whole(BODY))
    url = server.serves("/go", *whole(b"", "Location: /end", "Set-Cookie: id=1; Path=/", status="302 Found"))

    fetched(url, tmp_path)
    fetched(url, tmp_path)

    sent = [*server.heads("/end"), *server.heads("/go")]
    assert not any(field(one, name) for one in sent for name in ("Cookie", "Referer", "Authorization"))


def test_a_head_that_lies_about_the_file_does_not_matter(server: FaultServer, tmp_path: Path) -> None:
    lie = whole(b"", "Content-Type: text/html", status="404 Not Found")
    url = server.serves_in_turn("/file", by_method(get=whole(BODY), head=lie))

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["size"]) == ("stored", len(BODY))


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.0.0.2:{port}/"]
)
def test_without_an_opening_no_loopback_is_dialled(server: FaultServer, tmp_path: Path, url: str) -> None:
    said = fetched(url.format(port=server.port), tmp_path, allowed_networks="")

    assert (said["verdict"], said["reason"], server.accepted) == ("refused", "private-address", 0)


@pytest.fixture
def snare() -> Iterator[FaultServer]:
    """A server that nobody may call, standing where the environment says a proxy is."""
    with FaultServer() as running:
        yield running


@pytest.mark.parametrize(
    "scheme", ["http", "socks5h", "socks4a", "https"], ids=lambda scheme: f"D19-{scheme} proxy"
)
def test_the_environment_of_a_process_has_no_effect(
    server: FaultServer, snare: FaultServer, tmp_path: Path, scheme: str
) -> None:
    proxy = f"{scheme}://127.0.0.1:{snare.port}"
    names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "WS_PROXY"]
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(
        "machine 127.0.0.1 login me password secret\ndefault login me password secret\n"
    )
    (home / ".curlrc").write_text(f'proxy = "{proxy}"\nheader = "X-Curlrc: 1"\n')
    url = server.serves("/file", *whole(BODY))
    extra = {name: proxy for upper in names for name in (upper, upper.lower())} | {
        "NO_PROXY": "",
        "no_proxy": "",
        "HOME": str(home),
        "CURL_HOME": str(home),
        "NETRC": str(home / ".netrc"),
        "CURL_CA_BUNDLE": "/nowhere",
        "SSL_CERT_FILE": "/nowhere",
    }

    run = shelter("fetch", url, "--store", str(tmp_path / "store"), "--json", extra=extra)

    assert (run.said["verdict"], run.said["size"]) == ("stored", len(BODY))
    assert snare.accepted == 0
    assert not any(
        field(sent, name) for sent in server.heads("/file") for name in ("Authorization", "X-Curlrc")
    )


def test_a_key_log_of_the_environment_gets_no_secret(tmp_path: Path) -> None:
    with FaultServer(tls=Authority(tmp_path / "authority").shows_self_signed()) as server:
        run = shelter(
            *("fetch", server.url("/D19"), "--store", str(tmp_path / "store"), "--json"),
            extra={"SSLKEYLOGFILE": str(tmp_path / "keys")},
        )

    assert run.said["reason"] == "tls-failed"
    assert not (tmp_path / "keys").exists()


def test_the_door_reads_pages_under_the_same_rules(server: FaultServer) -> None:
    closed = Door.of(short_settings(allowed_networks=""))

    with pytest.raises(ShelterError) as refusal:
        closed.read(server.serves("/page", *whole(BODY)))

    assert (refusal.value.reason, server.accepted) == ("private-address", 0)
