"""Logs of the app: one JSON object a line, and only fields that tell nothing about a person."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_FIELDS = frozenset(
    {
        *("timestamp", "level", "event", "reference"),
        *("method", "route", "status", "duration_ms"),
        *("error", "code", "server_status", "mender", "where"),
        *("resource_type", "count", "protocol", "ehr", "written", "attempt"),
        *("entries", "already_there"),
    }
)
"""The fields that a line may hold; the rest is dropped, so no caller logs a token by mistake."""


def make_logger(
    level: str, stream: TextIO | None = None, *, count: Processor | None = None
) -> FilteringBoundLogger:
    """Return the app's logger.

    Args:
        level: debug, info, warning or error.
        stream: where lines go, by default standard error.
        count: sees each event before it is written.
    """
    # At debug, urllib3 would write addresses of the EHR with the ids in them to the root logger.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[
            *([] if count is None else [count]),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_other_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    return logger


def _drop_other_fields(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    return {name: value for name, value in event.items() if name in _FIELDS}
