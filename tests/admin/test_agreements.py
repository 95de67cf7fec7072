"""The region file's agreements, as `consent` takes them."""

from pathlib import Path

from ecm.admin.agreements import same, to_wire
from ecm.api.common.v1.values_pb2 import CATEGORY_FAMILY_SENSITIVE, Date
from ecm.api.consent.v1.consent_records_pb2 import AGREEMENT_STATE_APPROVED
from ecm.kit.region import load_region


def test_an_agreement_keeps_every_field(repository: Path) -> None:
    region = load_region(repository / "deploy" / "regions" / "example" / "region.yaml")
    wire = to_wire(region.agreements[0])
    assert (wire.key, wire.recipient, list(wire.purposes)) == ("psychology-1", "nhs-psychology", ["direct-care"])
    assert wire.valid_from == Date(year=2026, month=1, day=1)
    assert not wire.HasField("valid_until")
    assert len(wire.lines) == 10
    assert wire.lines[-1].category == CATEGORY_FAMILY_SENSITIVE
    assert wire.lines[-1].third_party_basis == "substantial-public-interest"


def test_what_consent_gives_is_no_difference(repository: Path) -> None:
    region = load_region(repository / "deploy" / "regions" / "example" / "region.yaml")
    wanted = to_wire(region.agreements[0])
    stored = to_wire(region.agreements[0])
    stored.state, stored.proposed_by, stored.lines[0].line_id = AGREEMENT_STATE_APPROVED, "somebody", "a-line"
    assert same(stored, wanted)
    stored.lines[0].needs_consent = False
    assert not same(stored, wanted)
