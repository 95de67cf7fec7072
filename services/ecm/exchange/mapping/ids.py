"""FHIR ids and references, computed: a record can point at another's resources without looking them up."""

from uuid import UUID, uuid5

from ecm.exchange.mapping.codes import NAMESPACE

Reference = dict[str, str]


def fhir_id(record_id: UUID | str, resource_type: str, key: str = "") -> str:
    """The id of one resource of a record; `key` is an item's code where there are several, never an index."""
    return str(uuid5(NAMESPACE, f"{record_id}/{resource_type}/{key}"))


# Turns the version digit of a UUIDv4 into 8 (RFC 9562's own-use version), and back.
_OTHER_VERSION = 0xC << 76
_BY_CATEGORY_ALONE = 8


def record_ids(record_id: UUID) -> tuple[UUID, UUID]:
    """Under which ids a record's resources stand: its own, and that of what no grant on the record itself opens.

    An invitation is a grant on the meeting's record: it opens the Appointment, and
    nothing of what was said there. Restrictions and hiding act on both.
    """
    return record_id, UUID(int=record_id.int ^ _OTHER_VERSION)


def owning_record(record_id: UUID) -> UUID:
    """The owner's record behind either of its ids."""
    return record_ids(record_id)[1] if record_id.version == _BY_CATEGORY_ALONE else record_id


def reference(record_id: UUID | str, resource_type: str, key: str = "") -> Reference:
    """A relative reference to one resource of a record."""
    return {"reference": f"{resource_type}/{fhir_id(record_id, resource_type, key)}"}


def patient(child_id: UUID | str) -> Reference:
    """The child's Patient."""
    return reference(child_id, "Patient")


def directory_record(region: str) -> UUID:
    """What stands for "the record" of a region's Organizations and Practitioners."""
    return uuid5(NAMESPACE, f"directory/{region}")
