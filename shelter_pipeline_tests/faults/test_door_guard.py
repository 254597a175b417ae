"""Nothing private is ever dialled: not by a literal, a spelling, a name, a redirect or the environment."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import PermanentError, RefusedError, ShelterError
from shelter_pipeline.fetching.door import Door
from shelter_pipeline_tests.support.fault_server import FaultServer, field, whole
from shelter_pipeline_tests.support.fetching import LOOPBACK, SHORT, USER_AGENT, door


@pytest.fixture
def guarded() -> Door:
    return Door(SHORT, user_agent=USER_AGENT)


@pytest.fixture
def witness() -> Iterator[socket.socket]:
    """A socket on every address of this machine that must never be called."""
    with socket.create_server(("", 0)) as listening:
        listening.setblocking(False)
        yield listening


def was_called(witness: socket.socket) -> bool:
    try:
        witness.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "0.0.0.0",
            "0",
            "localhost",
            "localhost.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
        ),
        *(
            "017700000001",
            "0177.0.0.1",
            "127.0.0.2",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
        ),
        *("①②⑦.⓪.⓪.①", "127。0。0。1", "[::127.0.0.1]", "[2002:7f00:1::]"),
    ],
)
def test_no_spelling_of_loopback_is_dialled(guarded: Door, witness: socket.socket, host: str) -> None:
    port = witness.getsockname()[1]

    with pytest.raises(RefusedError) as refusal:
        guarded.read(f"http://{host}:{port}/")

    assert refusal.value.reason == "private-address"
    assert not was_called(witness)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "2852039166",
            "0xA9FEA9FE",
            "100.64.0.1",
        ),
        *(
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "[fd00:ec2::254]",
        ),
        *("[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]"),
    ],
)
def test_no_private_or_reserved_address_is_dialled(guarded: Door, host: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        guarded.read(f"http://{host}/")

    assert refusal.value.reason == "private-address"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 Moved"])
def test_a_redirect_is_guarded_like_the_first_request(
    server: FaultServer, witness: socket.socket, status: str
) -> None:
    secret = f"http://127.0.0.2:{witness.getsockname()[1]}/secret"
    url = server.serves("/go", *whole(b"", f"Location: {secret}", status=status))
    only_first = Door(SHORT, allowed_networks=[type(LOOPBACK[0])("127.0.0.1/32")], user_agent=USER_AGENT)

    with pytest.raises(RefusedError) as refusal:
        only_first.read(url)

    assert refusal.value.reason == "private-address"
    assert not was_called(witness)


def test_a_refresh_header_is_not_a_redirect(server: FaultServer) -> None:
    url = server.serves("/go", *whole(b"here", "Refresh: 0; url=http://10.0.0.1/"))

    reply = door().read(url)

    assert (reply.body, reply.hops) == (b"here", ())


@pytest.mark.parametrize(
    "location",
    [
        *(
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "sftp://127.0.0.1/",
            "data:,x",
            "javascript:1",
            "ldap://h/",
        ),
        *(
            "dict://127.0.0.1/",
            "blob:http://127.0.0.1/",
            "",
            "http://user:secret@127.0.0.1/",
            "http://h\\@g/",
        ),
        *("http://127.0.0.1:99999/", "//", "http://a\tb/", "/go"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_permanent(server: FaultServer, location: str) -> None:
    url = server.serves("/go", *whole(b"", f"Location: {location}", status="302 Found"))

    with pytest.raises(PermanentError) as end:
        door().read(url)

    assert end.value.reason == "bad-redirect"
    assert len(server.log) == 1


@pytest.mark.parametrize("locations", [[], ["Location: /a", "Location: /b"]])
def test_a_redirect_names_exactly_one_place(server: FaultServer, locations: list[str]) -> None:
    url = server.serves("/go", *whole(b"", *locations, status="302 Found"))

    with pytest.raises(PermanentError) as end:
        door().read(url)

    assert end.value.reason == "bad-redirect"


def test_a_chain_of_redirects_is_followed_so_far_and_no_further(server: FaultServer) -> None:
    for number in range(20):
        server.serves(f"/{number}", *whole(b"", f"Location: /{number + 1}", status="302 Found"))

    with pytest.raises(PermanentError) as end:
        door(max_redirects=3).read(server.url("/0"))

    assert end.value.reason == "bad-redirect"
    assert len(server.log) == 4


def test_a_redirect_is_read_as_servers_mean_it(server: FaultServer) -> None:
    server.serves("/a%20b/%C3%A9", *whole(b"found"))
    url = server.serves("/go", *whole(b"", "Location: /a b/Ã©", status="302 Found"))

    reply = door().read(url)

    assert (reply.body, reply.hops[0].url) == (b"found", url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "not a url", "http://", "http://user@127.0.0.1/", "http://127.0.0.1\\@example.org/"),
        *(
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:\uff11\uff12/",
            "http://[::1/",
            "http://a b/",
            "http://h/\nx",
        ),
        *("http://a\tb/", "http://h/" + "x" * 8192, "sftp://127.0.0.1/", "file:///etc/passwd"),
    ],
)
def test_a_url_that_cannot_be_asked_for_sends_nothing(server: FaultServer, url: str) -> None:
    with pytest.raises(ShelterError) as refusal:
        door().read(url)

    assert refusal.value.reason in ("bad-url", "bad-scheme")
    assert server.accepted == 0


@pytest.mark.parametrize("port", [22, 25, 110, 3306, 5432, 6379])
def test_ports_of_other_protocols_are_not_spoken_to(port: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        door().read(f"http://127.0.0.1:{port}/")

    assert refusal.value.reason == "port-not-allowed"


def test_a_list_of_ports_is_the_only_list(server: FaultServer) -> None:
    elsewhere = server.serves("/", *whole(b""))
    strict = Door(SHORT, allowed_networks=LOOPBACK, allowed_ports=[443], user_agent=USER_AGENT)

    with pytest.raises(RefusedError) as refusal:
        strict.read(elsewhere)

    assert refusal.value.reason == "port-not-allowed"
    assert server.accepted == 0


def test_the_environment_takes_no_part(
    server: FaultServer, witness: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy = f"http://127.0.0.1:{witness.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    url = server.serves("/", *whole(b"direct", "Set-Cookie: id=1"))
    plain = door()

    replies = [plain.read(url) for _ in range(2)]

    assert [reply.body for reply in replies] == [b"direct", b"direct"]
    assert not was_called(witness)
    assert not any(field(sent, name) for sent in server.heads("/") for name in ("Authorization", "Cookie"))


def test_credentials_stay_with_their_host_and_ranges_travel(server: FaultServer) -> None:
    with FaultServer() as other:
        there = other.serves("/there", *whole(b"found"))
        url = server.serves("/here", *whole(b"", f"Location: {there}", status="302 Found"))

        door().read(url, headers={"Authorization": "Bearer secret", "X-Token": "1", "If-None-Match": '"a"'})

        sent_here, sent_there = server.heads("/here")[0], other.heads("/there")[0]
    assert field(sent_here, "Authorization") == "Bearer secret"
    assert field(sent_there, "Authorization") is None
    assert field(sent_there, "X-Token") is None
    assert field(sent_there, "If-None-Match") == '"a"'


def test_a_header_field_cannot_be_smuggled_into_a_request() -> None:
    with pytest.raises(ValueError, match="control character"):
        door().read("http://127.0.0.1/", headers={"X-Name": "a\r\nX-Other: b"})
