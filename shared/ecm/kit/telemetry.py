"""Structured logs without personal details: JSON lines of an event's name, ids and numbers.

What may be logged is a list of keys, not of forbidden ones: a new key is
redacted until somebody has thought about it.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from ecm.kit.trace import Trace, current_trace, trace_or_none, with_trace

__all__ = ["ALLOWED_KEYS", "Trace", "configure_logging", "current_trace", "logger", "with_trace"]

# fmt: off
ALLOWED_KEYS = frozenset({
    # The line itself.
    "ts", "level", "service", "event", "logger", "trace_id", "span_id",
    # Random ids, and ids of the region file: they name no person.
    "record_id", "child_id", "case_id", "event_id", "intent_id", "agreement_id", "client", "agency", "azp", "yot",
    "region",
    # Machinery.
    "method", "rpc", "code", "reason", "field", "kind", "change", "version", "epoch", "incarnation", "topic",
    "partition", "offset", "group", "consumer", "attempt", "attempts", "address", "port", "migration", "database",
    "lease", "lock", "part", "pid", "signal", "worker", "stage",
    # Numbers.
    "ms", "seconds", "count", "rows", "bytes", "lag", "size", "status", "sequence", "generation", "total",
    # The class of an exception and where it was raised; never its message, which may quote values.
    "error_class", "error_at", "sqlstate",
})
# fmt: on
REDACTED = "[redacted]"
_NUMBERLIKE = (int, float, bool, type(None))
_LONGEST = 200

Entry = MutableMapping[str, Any]


def logger(**ids: object) -> structlog.stdlib.BoundLogger:
    """The log, with ids that every line of it carries."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(**ids)
    return bound


def redact(_: object, __: str, entry: Entry) -> Entry:
    """Replaces the value of every key that isn't allowed, and cuts long ones."""
    for key, value in entry.items():
        if key not in ALLOWED_KEYS:
            entry[key] = REDACTED
        elif not isinstance(value, _NUMBERLIKE):
            entry[key] = str(value)[:_LONGEST]
    return entry


def describe_exception(_: object, __: str, entry: Entry) -> Entry:
    """Turns `exc_info` into the error's class and place; its message and locals may hold a child's details."""
    info = entry.pop("exc_info", None)
    entry.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        entry["error_class"] = type(error).__qualname__
        entry["error_at"] = _raised_at(error)
    return entry


def _raised_at(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else ""


def _add_trace(_: object, __: str, entry: Entry) -> Entry:
    trace = trace_or_none()
    if trace is not None:
        entry["trace_id"], entry["span_id"] = trace.trace_id, trace.span_id
    return entry


def _render(_: object, __: str, entry: Entry) -> str:
    return json.dumps(entry, separators=(",", ":"), default=str)


class LibraryLines(logging.Handler):
    """Lines of libraries (WARNING and above): the template alone, since arguments may hold values."""

    def emit(self, record: logging.LogRecord) -> None:
        # A line without arguments was formatted by its caller: values may stand in it, so only its origin is told.
        template = str(record.msg) if record.args else f"line {record.lineno}"
        try:
            logger().log(record.levelno, template, logger=record.name, exc_info=record.exc_info)
        except Exception:
            self.handleError(record)


def configure_logging(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends every log line of the process to `stream` (standard output) as JSON, redacted."""

    def add_service(_: object, __: str, entry: Entry) -> Entry:
        entry["service"] = service
        return entry

    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.add_log_level,
            add_service,
            _add_trace,
            describe_exception,
            redact,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=logging.WARNING, force=True)
    logging.raiseExceptions = False
    # After an orderly stop of the broker its clients write 10,000 lines a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
