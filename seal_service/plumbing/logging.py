"""Structured logs: one event name per fact, one JSON object per line on standard error.

Facts are short values: no personal data, no document or face data, no secret, no path that holds a
token. Uses of seals go to the use log, not here. Lines are ASCII: whatever breaks a line or
moves a cursor, in whichever script, stays an escape inside its JSON string (T-API-29).
"""

import logging
import sys
import traceback
from pathlib import Path

import structlog

Fact = str | int | float | bool | None

_LOGGER_NAME = "eseal"
_MOST_CAUSES = 8
_MOST_CALLS = 30


def set_up_logging(level: int = logging.INFO) -> None:
    """Write every event at or above ``level`` as one line of JSON."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


def _to_standard_error(*_: object) -> structlog.WriteLogger:
    # Looked up at every event: whoever replaces the stream gets the events from then on.
    return structlog.WriteLogger(sys.stderr)


def log_fact(event: str, **facts: Fact) -> None:
    """Note that something happened as it should."""
    structlog.get_logger(_LOGGER_NAME).info(event, **facts)


def log_alarm(event: str, **facts: Fact) -> None:
    """Note something an operator must look at."""
    structlog.get_logger(_LOGGER_NAME).error(event, **facts)


def log_crash(event: str, error: BaseException, **facts: Fact) -> None:
    """Note an exception that nobody expected: its types and where it came from.

    Its message stays out: those of drivers and validators quote the values they choked on, and
    these may be personal data (T-API-30).
    """
    log_alarm(event, **facts, error=_types(error), trace=_places(error))


def _types(error: BaseException) -> str:
    names = [type(error).__qualname__]
    while (cause := error.__cause__ or error.__context__) is not None and len(names) < _MOST_CAUSES:
        names.append(type(cause).__qualname__)
        error = cause
    return " <- ".join(names)


def _places(error: BaseException) -> str:
    """Return the innermost calls, the last one first."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_CALLS:]
    return " <- ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )


def bind_request(request_id: str) -> None:
    """Put the request id on every event of this request, in its worker thread too."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
