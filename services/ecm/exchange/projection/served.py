"""The bytes that are served: a rendition with its versionId and lastUpdated."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from ecm.exchange.mapping import MappedResource, View
from ecm.exchange.mapping.elements import moment

Json = dict[str, Any]
Key = tuple[str, UUID, int]
"""Type, id, view."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One rendition as it should stand: who may see it, and its elements without version."""

    key: Key
    categories: tuple[str, ...]
    only_for: str | None
    record_id: UUID
    body: Json

    def served(self, version_id: str, last_updated: datetime) -> bytes:
        """The bytes of this rendition at a version."""
        version = {"versionId": version_id, "lastUpdated": moment(last_updated)}
        body = self.body
        head = {"resourceType": body["resourceType"], "id": body["id"], "meta": version | body.get("meta", {})}
        return orjson.dumps(head | {name: value for name, value in body.items() if name not in head})


def wanted(resources: list[MappedResource]) -> dict[Key, Wanted]:
    """Every rendition of the resources, by its key."""
    return {found.key: found for resource in resources for found in _renditions(resource)}


def _renditions(resource: MappedResource) -> list[Wanted]:
    return [
        Wanted(
            (resource.type, UUID(resource.id), int(View(view))),
            resource.categories,
            resource.only_for,
            resource.record_id,
            body,
        )
        for view, body in resource.renditions.items()
    ]
