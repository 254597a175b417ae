"""The network that an address belongs to: whether two callers are likely the same one, whether it is this machine."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address, ip_network

_IPV4_BITS, _IPV6_BITS = 24, 48


def network_of(address: str) -> str | None:
    """The /24 or /48 of an address; None for this machine's own and for what is no address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback:
        return None
    bits = _IPV6_BITS if isinstance(parsed, IPv6Address) else _IPV4_BITS
    return str(ip_network(f"{parsed}/{bits}", strict=False))


def network_hash(address: str, pepper: bytes) -> bytes | None:
    """A keyed hash of the address's network: tells whether two are the same, and to nobody which. None as above."""
    network = network_of(address)
    return None if network is None else hmac.digest(pepper, f"network {network}".encode(), hashlib.sha256)


def is_loopback(host: str) -> bool:
    """Whether this is a name or an address of this very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
