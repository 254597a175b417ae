"""Which socket addresses a rescue may dial.

The question is asked of the address that is dialled, never of the name before it is
resolved: names have many spellings, and a name may resolve to something else a moment
later. Forms that carry another address inside (mapped, compatible, 6to4, Teredo,
NAT64) are unwrapped first and refused if either the carrier or the carried is.

Registries: IANA IPv4/IPv6 Special-Purpose Address Registries (RFC 6890), RFC 6052
(NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 4291 (mapped, compatible).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Global by the registry or by CPython's tables, and still not the public internet.
_DENIED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # Azure's host agent answers on a public address
        "192.0.0.0/24",  # includes Oracle's metadata service, 192.0.0.192
        "192.88.99.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def _carried(address: IPv6Address) -> Iterator[IPv4Address]:
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64) or int(address) >> 32 == 0:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    return address.is_global and not any(
        address in network for network in _DENIED if network.version == address.version
    )


def may_dial(literal: str, allowed_networks: Sequence[Network] = ()) -> bool:
    """Whether a rescue may open a connection to this IP literal (a scope id is ignored).

    `allowed_networks` opens the guard for private portals and tests; an address that
    carries an allowed one is judged by the carried address too. Anything that is not an
    IP literal is refused.
    """
    try:
        address = ip_address(literal.partition("%")[0])
    except ValueError:
        return False
    if _is_allowed(address, allowed_networks):
        return True
    carried = list(_carried(address)) if isinstance(address, IPv6Address) else []
    if carried:
        # A carrier is only a spelling: what counts is every address it can lead to.
        return all(_is_public(inner) or _is_allowed(inner, allowed_networks) for inner in carried)
    return _is_public(address)


def _is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
