"""Logs hold ids and numbers, and never what a record says."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from ecm.kit.telemetry import ALLOWED_KEYS, REDACTED, configure_logging, logger
from ecm.kit.trace import current_trace, new_trace, parse_traceparent, trace_or_none, with_trace


@pytest.fixture
def lines() -> Iterator["Lines"]:
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    configure_logging("referrals", "INFO", stream)
    yield Lines(stream)
    structlog.reset_defaults()
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)


class Lines:
    """What was logged."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return line


def test_a_line_is_json_with_its_service_and_trace(lines: Lines) -> None:
    with with_trace(None) as trace:
        logger(record_id="r1").info("record.saved", version=3, rows=2)
    assert lines.last.pop("ts")
    assert lines.last["event"] == "record.saved" and lines.last["service"] == "referrals"
    assert (lines.last["record_id"], lines.last["version"], lines.last["level"]) == ("r1", 3, "info")
    assert lines.last["trace_id"] == trace.trace_id


def test_keys_that_are_not_listed_are_redacted(lines: Lines) -> None:
    logger(child_name="Jane Doe").info("record.saved", birth_date="2012-03-04", request={"name": "Jane Doe"})
    assert lines.last["child_name"] == lines.last["birth_date"] == lines.last["request"] == REDACTED
    assert "Jane" not in lines.text and "2012-03-04" not in lines.text


def test_no_allowed_key_sounds_personal() -> None:
    for word in (
        "name",
        "birth",
        "address_line",
        "nhs",
        "content",
        "message",
        "text",
        "value",
        "query",
        "answer",
        "body",
    ):
        assert not [key for key in ALLOWED_KEYS if word in key], word


def test_exceptions_are_told_by_class_and_place(lines: Lines) -> None:
    try:
        raise ValueError("Jane Doe of 1 High Street")
    except ValueError as error:
        logger().error("failed", exc_info=True)
        assert lines.last["error_class"] == "ValueError" and "test_telemetry" in lines.last["error_at"]
        logger().error("failed", exc_info=error)
    assert lines.last["error_class"] == "ValueError" and "Jane" not in lines.text


def test_libraries_may_say_their_template_alone(lines: Lines) -> None:
    library = logging.getLogger("some.library")
    library.warning("lost %s", "Jane Doe")
    assert lines.last["event"] == "lost %s" and lines.last["logger"] == "some.library"
    library.warning(f"lost {'Jane Doe'}")
    library.info("chatter")
    assert "Jane" not in lines.text and "chatter" not in lines.text
    try:
        raise RuntimeError("Jane Doe")
    except RuntimeError:
        library.exception("oh")
    assert lines.last["error_class"] == "RuntimeError" and "Jane" not in lines.text


def test_aiokafka_is_silent(lines: Lines) -> None:
    for name in ("aiokafka", "aiokafka.conn", "aiokafka.producer.sender"):
        logging.getLogger(name).error("Unable to connect")
    assert lines.text == ""


def test_long_values_are_cut(lines: Lines) -> None:
    logger().info("x", reason="a" * 10_000)
    assert len(lines.last["reason"]) == 200


def test_traces() -> None:
    parent = new_trace()
    assert trace_or_none() is None
    with with_trace(parent.traceparent) as outer:
        assert outer.trace_id == parent.trace_id and outer.span_id != parent.span_id
        with with_trace(current_trace().traceparent) as inner:
            assert inner.trace_id == parent.trace_id
        assert current_trace() == outer
    assert trace_or_none() is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "0" * 16 + "-01",
        "00-" + "A" * 32 + "-" + "1" * 16 + "-01",
    ],
)
def test_malformed_traceparents_are_none(text: str | None) -> None:
    assert parse_traceparent(text) is None
