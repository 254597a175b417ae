"""Which socket addresses a rescue may dial.

The question is asked of the address that is dialled, never of the name before it is
resolved: names have many spellings, and a name may resolve to something else a moment
later. The two forms that lead to a public file server through another address (mapped,
and NAT64 by its well-known prefix) are judged by the address they carry; all others
(compatible, 6to4, Teredo, NAT64 for local use) are refused whatever they carry.

Registries: IANA IPv4/IPv6 Special-Purpose Address Registries (RFC 6890), RFC 6052 and
RFC 8215 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 4291 (mapped, compatible).
"""

from __future__ import annotations

from collections.abc import Sequence
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
        "::/96",  # compatible
        "64:ff9b:1::/48",  # local NAT64: where the carried address stands is the translator's secret
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


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
    carried = _carried(address) if isinstance(address, IPv6Address) else None
    if carried is not None:
        return _is_public(carried) or _is_allowed(carried, allowed_networks)
    return _is_public(address)


def _is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
