"""Every record of every process of ours, as a line: for people, or as one JSON object for collectors.

    {"time": "2026-11-03T04:05:06.789Z", "level": "INFO", "logger": "…", "message": "…", "host": "…", "pid": 7,
     "batch": "epa-gov.ftp.epa.gov.12", "run": "…", "exception": "…"}

No record holds a secret: messages are masked before any handler sees them, Dagster's and
Celery's too. Text from outside can neither forge a record nor fill the disk with one. What
is being worked on is said once, by `logging_about`, and stands in every record of the block.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from shelter_pipeline.domain.log_text import capped, masked, on_one_line
from shelter_pipeline.settings import Settings, environment_secrets

MOST_CHARACTERS: Final = 16_000  # of a message, and again of its exception
# They say at info what only their authors want to know.
_TALKATIVE = ("alembic", "boto3", "botocore", "urllib3", "s3transfer", "httpx", "asyncio", "grpc")
# Who knows the path of a webhook may speak through it.
_HOOKS, _LEAST_HOOK_CHARACTERS = ("http", "https"), 16
_ABOUT: ContextVar[Mapping[str, Any]] = ContextVar("about", default=MappingProxyType({}))
_OURS = "shelter_pipeline"
_FIELDS = "fields"
_make_record = logging.getLogRecordFactory()
_secrets: frozenset[str] = frozenset()


def set_up_logging(settings: Settings, *, stream: IO[str] | None = None, quiet: bool = False) -> None:
    """Let this process log to `stream`, standard error by default, as the settings say; may be called again.

    `quiet` is for commands that print their results: as text, warnings alone are shown, without their time.
    """
    ours = logging.getLogger(_OURS)  # whatever `log_beside_dagster` did before
    ours.handlers = [other for other in ours.handlers if not isinstance(other, _Handler)]
    ours.setLevel(logging.NOTSET)
    level = _level(settings)
    if quiet and settings.log_format == "text":
        level = max(level, logging.WARNING)
    _log_to(logging.getLogger(), _Handler(stream), settings, level, bare=quiet)
    logging.captureWarnings(settings.log_format == "json")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # It warns of every request that is no HTTP; those are counted in the metrics.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def log_beside_dagster(settings: Settings) -> None:
    """Let our own records go to standard error in a process whose logging is Dagster's; may be called again.

    Dagster keeps what a run writes there, and shows it. Its own way, `python_logs`, is none for us: each record
    is a row of its database, and where that is away, whoever logs is who fails.
    """
    if any(isinstance(handler, _Handler) for handler in logging.getLogger().handlers):
        keep_secrets_out(settings)
        return
    _log_to(logging.getLogger(_OURS), _Handler(None), settings, _level(settings), bare=False)


def log_strays(settings: Settings) -> None:
    """Let what a process of Dagster leaves to the root logger go to standard error in our form.

    Otherwise its first `logging.warning`, which is about a lost database, would have Python give the root logger a
    handler, by which every later record is written a second time and as text.
    """
    handler = logging.StreamHandler()
    handler.setLevel(max(_level(settings), logging.WARNING))
    handler.addFilter(_is_left_to_the_root)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter(bare=False))
    logging.getLogger().addHandler(handler)
    keep_secrets_out(settings)


def _is_left_to_the_root(record: logging.LogRecord) -> bool:
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None and logger.parent is not None:
        if logger.handlers:
            return False
        logger = logger.parent
    return True


def _level(settings: Settings) -> int:
    return int(getattr(logging, settings.log_level.upper()))


def _log_to(
    logger: logging.Logger, handler: logging.Handler, settings: Settings, level: int, *, bare: bool
) -> None:
    keep_secrets_out(settings)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter(bare=bare))
    logger.handlers = [other for other in logger.handlers if not isinstance(other, _Handler)] + [handler]
    logger.setLevel(level)


def logs_as_json() -> bool:
    """Whether this process was set up to write JSON."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def keep_secrets_out(settings: Settings) -> None:
    """From now on no record of this process, whoever handles it, holds a secret of the settings in its message."""
    global _secrets  # noqa: PLW0603 - the record factory of a process is one
    _secrets = frozenset(_secrets_of(settings))
    logging.setLogRecordFactory(_masked_record)


@contextmanager
def logging_about(**fields: Any) -> Iterator[None]:
    """Records of this thread name these things until the end of the block."""
    before = _ABOUT.set({**_ABOUT.get(), **{name: value for name, value in fields.items() if value}})
    try:
        yield
    finally:
        _ABOUT.reset(before)


def told(**fields: Any) -> dict[str, Any]:
    """What a record says beside its sentence: `_log.info("batch ended", extra=told(held=7))`."""
    return {_FIELDS: fields}


def dagster_log_options(settings: Settings) -> list[str]:
    """What Dagster's own commands (`api grpc`, `dagster-daemon run`, `dagster-webserver`) take to log in this way."""
    return ["--log-format", "json"] if settings.log_format == "json" else []


class _Handler(logging.Handler):
    """Writes to a stream, or to what standard error is at the moment: it may be another one later."""

    def __init__(self, stream: IO[str] | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - whoever logs must not fail for it, as with any handler
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a record, in ASCII, so that no character in it ends a line or moves a cursor."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": capped(record.getMessage(), MOST_CHARACTERS),
            "host": _HOST,
            "pid": record.process,
            **_fields(record),
        }
        if exception := _exception(self, record):
            line["exception"] = exception
        return json.dumps(line, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """A line a record; a traceback follows it with a mark before each line, which no record begins with."""

    def __init__(self, *, bare: bool = False) -> None:
        super().__init__()
        self._bare = bare

    def format(self, record: logging.LogRecord) -> str:
        """The record for people."""
        message = on_one_line(capped(record.getMessage(), MOST_CHARACTERS))
        about = "".join(f" {name}={on_one_line(str(value))}" for name, value in _fields(record).items())
        line = (
            message if self._bare else f"{_time(record)} {record.levelname} {record.name}: {message}{about}"
        )
        exception = _exception(self, record)
        return "\n".join([line, *(f"  | {on_one_line(part)}" for part in exception.split("\n") if part)])


_HOST = socket.gethostname()


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {**_ABOUT.get(), **getattr(record, _FIELDS, {})}
    return {name: _field(value) for name, value in fields.items()}


def _field(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _field(part) for name, part in value.items()}
    return capped(masked(capped(str(value), 4 * MOST_CHARACTERS), _secrets), MOST_CHARACTERS)


def _exception(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    trace = capped(formatter.formatException(record.exc_info), 4 * MOST_CHARACTERS)
    return capped(masked(trace, _secrets), MOST_CHARACTERS)


def _masked_record(*arguments: Any, **named: Any) -> logging.LogRecord:
    record = _make_record(*arguments, **named)
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - somebody's placeholders do not fit, which is no reason to say nothing
        message = f"{record.msg} {record.args!r}"
    # What is cut off first is never looked at: a message of any length costs the same.
    record.msg, record.args = masked(capped(message, 4 * MOST_CHARACTERS), _secrets), ()
    return record


def _secrets_of(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield from _spellings(value.get_secret_value())
    yield from environment_secrets()


def _spellings(secret: str) -> Iterator[str]:
    """The secret; of a URL its password, and a path that is too long to say merely where something is."""
    if "://" not in secret:
        yield secret
        return
    try:
        parts = urlsplit(secret)
        password = parts.password
    except ValueError:
        yield secret
        return
    if password:
        yield from {password, unquote(password)}
    if parts.scheme in _HOOKS and len(parts.path) >= _LEAST_HOOK_CHARACTERS:
        yield parts.path
