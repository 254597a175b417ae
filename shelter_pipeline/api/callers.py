"""Whom a request is charged to: a token that was good lately, or the network it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

from shelter_pipeline.api.token_desk import TokenDesk

_IPV6_SITE_BITS = 64
Networks = Sequence[IPv4Network | IPv6Network]


def client_address(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """The address of the caller: the last in `X-Forwarded-For` that is none of our own proxies.

    What the caller itself wrote there stands further left and is never reached.
    """
    address = peer
    for hop in reversed(",".join(forwarded).split(",")):
        if not _is_in(address, trusted):
            return address
        if not _is_address(hop.strip()):
            return address
        address = hop.strip()
    return address


def caller_of(scope: Scope, headers: Headers, tokens: TokenDesk) -> str:
    """The key of the caller's buckets. A token counts only if it was good lately, or anybody could have many."""
    scheme, _, presented = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        prefix = tokens.prefix_of_late(hashlib.sha256(presented.strip().encode(errors="replace")).digest())
        if prefix is not None:
            return f"token:{prefix}"
    return network_of(scope["client"][0] if scope.get("client") else "")


def network_of(address: str) -> str:
    """The network an address is charged as: itself, or with IPv6 the /64 that one household has."""
    if not _is_address(address):
        return "unknown"
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network(f"{address.partition('%')[0]}/{_IPV6_SITE_BITS}", strict=False))


def _is_in(address: str, networks: Networks) -> bool:
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
