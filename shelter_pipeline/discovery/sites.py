"""Which hosts belong together: one site is one name that somebody registered.

The Public Suffix List (publicsuffix.org) tells where names are registered: `noaa.gov` is
one body with many hosts, `a.co.uk` and `b.co.uk` are two, and so are two buckets below
`s3.amazonaws.com`. The list comes with its package and is never fetched.
"""

from __future__ import annotations

from functools import cache, lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

# Platforms that house many bodies under one name and are not on the list.
_SHARED = frozenset({"arcgis.com", "figshare.com", "sharepoint.com", "socrata.com", "storage.googleapis.com"})
_REMEMBERED = 4096


def same_site(one: str, other: str) -> bool:
    """Whether two hosts (`name:port`, of any scheme) are of one registered name; addresses only if they are equal."""
    first, second = _name(one), _name(other)
    return first == second or _site(first) == _site(second)


def _name(host: str) -> str:
    return host.rpartition(":")[0].rstrip(".").removeprefix("www.")


@lru_cache(maxsize=_REMEMBERED)
def _site(name: str) -> str:
    """The registered name; the name itself where nothing shorter is one body's."""
    if _is_address(name):
        return name
    registered = _suffixes().privatesuffix(name)
    return name if registered is None or registered in _SHARED else registered


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
