"""Tokens for people: made with an expiry, listed, revoked; and the pepper under which all are hashed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from shelter_pipeline.catalog import tokens
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.tokens import prefix_of
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

_PEPPER_FILE = "api-pepper"
_LEAST_PEPPER_BYTES = 16


def api_pepper(settings: Settings) -> bytes:
    """The secret under which tokens are hashed: SHELTER_API_PEPPER, or a file of the home, made when first asked for.

    All processes of one home get the same, whoever comes first. Raises SetupError where the file cannot be
    made, cannot be read, or is cut off: with another pepper no token would open any more.
    """
    if settings.api_pepper is not None:
        return settings.api_pepper.get_secret_value().encode()
    path = settings.home_path / _PEPPER_FILE
    try:
        if not path.exists():
            _make_pepper(path)
        pepper = path.read_bytes().strip()
    except OSError as error:
        raise SetupError(
            f"the secret of the API's tokens, {path}, cannot be used: {error.strerror}; set SHELTER_API_PEPPER"
        ) from error
    if len(pepper) < _LEAST_PEPPER_BYTES:
        raise SetupError(
            f"the secret of the API's tokens, {path}, is cut off; put it back from a backup,"
            " or remove it and make every token anew"
        )
    return pepper


def _make_pepper(path: Path) -> None:
    # Whole or not at all, and the first one stays: a link fails where the name is taken.
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(32).encode() + b"\n")
        os.fsync(descriptor)
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        fresh.unlink()


def create_token(
    workplace: Workplace, *, scopes: Sequence[str], label: str, expires: timedelta | None = None
) -> str:
    """A new token, shown here and never again. Raises SetupError for a label that says nothing."""
    if not label.strip():
        raise SetupError("a token needs a label: who or what it is for")
    return tokens.issue_token(
        workplace.catalog,
        scopes=scopes,
        label=label.strip(),
        expires=expires,
        pepper=api_pepper(workplace.settings),
    )


def token_table(workplace: Workplace) -> list[dict[str, Any]]:
    """Every token, newest first, without what opens."""
    return [asdict(row) for row in tokens.list_tokens(workplace.catalog)]


def revoke_token(workplace: Workplace, token: str) -> dict[str, Any]:
    """End a token for good, named by its prefix or by all of it. Raises SetupError if there is none."""
    prefix = prefix_of(token) or token
    row = tokens.revoke_token(workplace.catalog, prefix)
    if row is None:
        raise SetupError("there is no such token; `shelter token list` shows the prefixes of all")
    return asdict(row)
