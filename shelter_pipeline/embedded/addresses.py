"""Where the parts of an embedded system are found: by each other, and by people."""

from __future__ import annotations

from shelter_pipeline.settings import Settings

LOOPBACK = "127.0.0.1"
# An address for "every interface" is one to listen on, not one to talk to.
_EVERY_INTERFACE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104


def web_url(address: str, port: int) -> str:
    """Where to talk, from this machine, to what listens there."""
    host = _EVERY_INTERFACE.get(address, address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def public_urls(settings: Settings) -> dict[str, str]:
    """Where people find Dagster's pages and ours, by setting; what the operator says, else where they listen.

    What listens on every interface is reached under names that only the operator knows. Of that nothing is
    said: a link that leads to the reader's own machine is worse than none.
    """
    listening = {
        "dagster_public_url": (settings.bind_address, settings.dagster_port),
        "api_public_url": (settings.api_bind_address, settings.api_port),
    }
    chosen = {
        name: web_url(address, port)
        for name, (address, port) in listening.items()
        if address not in _EVERY_INTERFACE
    }
    said = {name: getattr(settings, name) for name in listening}
    return chosen | {name: url for name, url in said.items() if url}
