"""Whether the broker of the fleet answers, what it is, and whether it keeps what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shelter_pipeline.domain.errors import SetupError, ShelterError, TransientError

_PATIENCE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What a broker says of itself; `maxmemory_policy` and `appendonly` are Redis's, None where it does not tell."""

    product: str
    version: str
    maxmemory_policy: str | None = None
    appendonly: str | None = None


def broker_place(url: str) -> str:
    """Where a broker is, without any password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def try_broker(url: str) -> BrokerState:
    """Connect and ask; nothing is queued.

    Raises SetupError when user or password are wrong, and TransientError for all that may be over soon; neither
    shows the URL's password.
    """
    # Here, because Celery's libraries take a second, which nobody without a fleet should have to wait.
    from amqp.exceptions import AMQPError
    from kombu.connection import Connection
    from kombu.exceptions import KombuError
    from redis.exceptions import RedisError

    patience = {"socket_timeout": _PATIENCE_SECONDS, "socket_connect_timeout": _PATIENCE_SECONDS}
    is_redis = "redis" in urlsplit(url).scheme or urlsplit(url).scheme == "sentinel"
    try:
        connect: Any = Connection  # it comes with half of its types
        with connect(
            url, connect_timeout=_PATIENCE_SECONDS, transport_options=patience if is_redis else {}
        ) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=_PATIENCE_SECONDS)
            if is_redis:
                return _redis(connection.default_channel.client)
            told = connection.connection.server_properties
            return BrokerState(_word(told.get("product", "AMQP")), _word(told.get("version", "")))
    # What an error says may repeat the URL.
    except (AMQPError, KombuError, RedisError, OSError, ValueError, KeyError) as error:
        raise _why(url, error) from None


def _why(url: str, error: Exception) -> ShelterError:
    from amqp.exceptions import AccessRefused
    from redis.exceptions import AuthenticationError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    chain: list[BaseException] = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None and deeper not in chain:
        chain.append(deeper)
    if any(isinstance(each, AuthenticationError | AccessRefused) for each in chain):
        return SetupError(f"the broker at {broker_place(url)} refuses its user or password")
    if any(isinstance(each, TimeoutError | RedisTimeoutError) for each in chain):
        return TransientError(f"the broker at {broker_place(url)} does not answer in time")
    known = (each.strerror for each in chain if isinstance(each, OSError) and each.strerror)
    return TransientError(
        f"the broker at {broker_place(url)} does not answer as it should ({next(known, type(error).__name__)})"
    )


def _redis(client: Any) -> BrokerState:
    from redis.exceptions import ResponseError

    version = _word(client.info("server").get("redis_version", ""))
    try:
        settings = client.config_get("maxmemory-policy", "appendonly")
    except ResponseError:  # services for hire do not show their settings
        settings = {}
    return BrokerState("Redis", version, settings.get("maxmemory-policy"), settings.get("appendonly"))


def _word(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
