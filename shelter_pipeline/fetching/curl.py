"""libcurl, so that the environment cannot listen in on it: the only module that imports pycurl.

Proxy, netrc and cookies are switched off by options of each transfer. For the file that
`SSLKEYLOGFILE` names, into which libcurl writes every TLS secret, there is no option.
"""

from __future__ import annotations

import os

import pycurl

__all__ = ["new_handle", "new_multi", "pycurl"]


def new_handle() -> pycurl.Curl:
    """A handle for one transfer at a time."""
    _forget_key_log()
    return pycurl.Curl()


def new_multi() -> pycurl.CurlMulti:
    """What runs many handles at once."""
    _forget_key_log()
    return pycurl.CurlMulti()


def _forget_key_log() -> None:
    """Take the name out of this process for good: libcurl opens the file with its first handle."""
    os.environ.pop("SSLKEYLOGFILE", None)
