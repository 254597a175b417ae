"""libcurl, so that the environment cannot listen in on it: the only module that imports pycurl.

Proxy, netrc and cookies are switched off by options of each transfer. For the file that
`SSLKEYLOGFILE` names, into which libcurl writes every TLS secret, there is no option.
"""

from __future__ import annotations

import os

import pycurl

__all__ = ["forget_key_log", "pycurl"]


def forget_key_log() -> None:
    """Take `SSLKEYLOGFILE` out of this process for good: libcurl looks for it at each first TLS connection."""
    os.environ.pop("SSLKEYLOGFILE", None)
