"""Asks an owner of records for all of them, page by page: one answer holds about 4 MiB (`ecm.kit.db.pages`)."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from ecm.api.common.v1.record_pb2 import RecordVersion
from ecm.kit.rpc.channel import CALL_SECONDS, Peer

Method = grpc.aio.UnaryUnaryMultiCallable[Any, Any]


async def all_versions(
    peer: Peer,
    method: Method,
    request: Any,
    *,
    timeout: float = CALL_SECONDS,  # noqa: ASYNC109  of each page
) -> list[RecordVersion]:
    """All that a `ListRecordVersionsRequest` asks for, in order. Errors as of `Peer.call`."""
    found: list[RecordVersion] = []
    asked = _copy(request)
    while True:
        answer = await peer.call(method, asked, timeout=timeout)
        found.extend(answer.versions)
        if not answer.more:
            return found
        asked.after = found[-1].version


async def child_records(
    peer: Peer,
    method: Method,
    request: Any,
    *,
    timeout: float = CALL_SECONDS,  # noqa: ASYNC109  of each page
) -> AsyncIterator[RecordVersion]:
    """All that a `ListChildRecordsRequest` asks for; no more than a page is held at once. Errors as of `Peer.call`."""
    asked = _copy(request)
    while True:
        answer = await peer.call(method, asked, timeout=timeout)
        for version in answer.versions:
            yield version
        if not answer.next_page_token:
            return
        asked.page_token = answer.next_page_token


def _copy(request: Any) -> Any:
    copy = type(request)()
    copy.CopyFrom(request)
    return copy
