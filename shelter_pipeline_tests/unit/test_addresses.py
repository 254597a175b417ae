"""Which addresses may be dialled: the public internet, and nothing that leads anywhere else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.addresses import may_dial

LOOPBACK = (ip_network("127.0.0.0/8"),)
ipv4 = st.ip_addresses(v=4).map(IPv4Address)

PUBLIC = ["8.8.8.8", "1.1.1.1", "192.0.1.1", "198.20.0.1", "2606:4700:4700::1111", "2a00:1450:4001:800::200e"]
LOCAL = [
    # this machine
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"),
    # private and link-local networks
    *(
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.0.1",
        "100.64.0.1",
        "100.127.255.255",
    ),
    *("fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1"),
    # metadata services of clouds
    *("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    # multicast, broadcast, reserved, documentation, benchmarks
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1", "ff0e::1", "192.88.99.1"),
    *(
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
    ),
]
CARRIERS = {
    "mapped": "::ffff:{dotted}",
    "compatible": "::{dotted}",
    "NAT64": "64:ff9b::{dotted}",
    "NAT64 for local use": "64:ff9b:1::{dotted}",
    "6to4": "2002:{high:x}:{low:x}::1",
    "Teredo client": "2001:0:808:808:0:0:{not_high:x}:{not_low:x}",
    "Teredo server": "2001:0:{high:x}:{low:x}:0:0:f7f7:f7f7",
}


def carried(form: str, dotted: str) -> str:
    number = int(IPv4Address(dotted))
    high, low = number >> 16, number & 0xFFFF
    return CARRIERS[form].format(
        dotted=dotted, high=high, low=low, not_high=high ^ 0xFFFF, not_low=low ^ 0xFFFF
    )


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_may_be_dialled(address: str) -> None:
    assert may_dial(address)


@pytest.mark.parametrize("address", LOCAL)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not may_dial(address)


@pytest.mark.parametrize("form", CARRIERS)
@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.0.0.192"])
def test_a_private_address_is_refused_in_every_wrapping(form: str, inner: str) -> None:
    assert not may_dial(carried(form, inner))


@pytest.mark.parametrize("form", ["mapped", "NAT64"])
def test_wrappings_that_lead_to_the_public_internet_are_open(form: str) -> None:
    assert may_dial(carried(form, "8.8.8.8"))


@pytest.mark.parametrize(
    "form", ["compatible", "NAT64 for local use", "6to4", "Teredo client", "Teredo server"]
)
def test_wrappings_that_nobody_serves_files_from_are_refused_whatever_they_carry(form: str) -> None:
    assert not may_dial(carried(form, "8.8.8.8"))


def test_a_local_translator_is_not_fooled_by_a_public_tail() -> None:
    # A /48 prefix of RFC 6052 carries 127.0.0.1 in its middle; the tail is whatever the sender likes.
    assert not may_dial("64:ff9b:1:7f00:0:100:808:808")


@pytest.mark.parametrize("address", ["fe80::1%eth0", "::1%lo", "127.0.0.1%1"])
def test_a_scope_id_opens_nothing(address: str) -> None:
    assert not may_dial(address)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "localhost",
            "localhost.",
            "metadata.google.internal",
            "example.com",
            "8.8.8.8:80",
            "[::1]",
        ),
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "127.1",
            "08.8.8.8",
            "8.8.8.8/32",
        ),
        *(
            "①②⑦.⓪.⓪.①",
            "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
            "127。0。0。1",
            "\uff12\uff18\uff15\uff12\uff10\uff13\uff19\uff11\uff16\uff16",
            "2852039166",
            "0xA9FEA9FE",
            "\x00",
        ),
    ],
)
def test_what_is_no_plain_literal_is_refused(text: str) -> None:
    assert not may_dial(text)


def test_an_allowed_network_opens_itself_and_nothing_else() -> None:
    assert may_dial("127.0.0.1", LOOPBACK)
    assert not may_dial("10.0.0.1", LOOPBACK)
    assert not may_dial("::1", LOOPBACK)


@pytest.mark.parametrize("form", ["mapped", "NAT64"])
def test_an_allowed_network_is_open_in_its_wrappings(form: str) -> None:
    assert may_dial(carried(form, "127.0.0.1"), LOOPBACK)
    assert not may_dial(carried(form, "10.0.0.1"), LOOPBACK)


def test_an_allowed_network_of_the_other_version_opens_nothing() -> None:
    assert not may_dial("127.0.0.1", (ip_network("::/0"),))
    assert not may_dial("::1", (ip_network("0.0.0.0/0"),))


@given(address=ipv4)
def test_a_mapped_address_is_judged_as_the_address_itself(address: IPv4Address) -> None:
    assert may_dial(carried("mapped", str(address))) == may_dial(str(address))


@given(address=ipv4, form=st.sampled_from(sorted(CARRIERS)))
def test_no_wrapping_opens_what_is_closed(address: IPv4Address, form: str) -> None:
    assert may_dial(str(address)) or not may_dial(carried(form, str(address)))


@given(address=st.ip_addresses(v=6))
def test_no_address_is_dialled_that_the_registry_calls_local(address: IPv6Address) -> None:
    assert not may_dial(str(address)) or (address.is_global and not address.is_multicast)


@given(text=st.text())
def test_any_text_is_answered(text: str) -> None:
    assert may_dial(text) in (True, False)
