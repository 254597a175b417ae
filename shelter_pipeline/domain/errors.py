"""Every way a rescue can go wrong, sorted by what the caller should do next.

    ShelterError
    ├── TransientError    the same request may succeed later
    │   └── CatalogAwayError
    │       └── CatalogOutdatedError
    ├── PermanentError    the same request will fail again
    ├── RefusedError      policy forbids it; nothing was sent
    ├── DamagedError      bytes are not what they should be
    └── SetupError        a person must change something before anything can work

An error carries its `reason`, one of the slugs of `domain.verdicts.REASONS` where
it ends a capture. Slugs are what the catalog stores and reports count, so renaming
one is a schema change.
"""

from __future__ import annotations


class ShelterError(Exception):
    """Root of the tree: catch this at a process boundary, never deeper."""

    default_reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason


class TransientError(ShelterError):
    """The same request may succeed later: put the work back with a delay."""

    default_reason = "connection-lost"

    def __init__(
        self, message: str, *, reason: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_seconds = retry_after_seconds


class CatalogAwayError(TransientError):
    """The catalog did not answer, or went away meanwhile; what was asked of it may or may not have happened."""

    default_reason = "store-failed"


class CatalogOutdatedError(CatalogAwayError):
    """The catalog lacks what this release knows of: it is being migrated, or has to be, or is of a newer release."""


class PermanentError(ShelterError):
    """The same request will fail again: record the verdict and move on."""

    default_reason = "not-found"


class RefusedError(ShelterError):
    """Policy forbids the request: nothing was sent, and nothing will be."""

    default_reason = "bad-url"


class DamagedError(ShelterError):
    """Bytes are not what they should be: quarantine them, keep the evidence."""

    default_reason = "mismatch"


class SetupError(ShelterError):
    """A setting, a port, a server or a folder is not usable; the message says what to change."""

    default_reason = "setup"
