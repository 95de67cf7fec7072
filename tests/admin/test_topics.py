"""What the broker allows: every permission, read as sentences."""

from ecm.admin.topics import Access, accesses, retentions, topics
from unit.kit.builders import example_region

ALL = accesses("example", ["nhs-psychology", "la-eastvale"])


def of(principal: str, kind: str = "topic") -> set[tuple[str, str]]:
    return {(access.name, access.operation) for access in ALL if access.principal == principal and access.kind == kind}


def test_a_partner_reads_its_own_topic_and_nothing_else() -> None:
    own = "ecm.example.client.nhs-psychology.v1"
    assert of("nhs-psychology") == {(own, "read"), (own, "describe")}
    assert Access("nhs-psychology", "group", "nhs-psychology.", "read", prefix=True) in ALL


def test_a_service_writes_only_its_own_topic_and_its_dead_letters() -> None:
    written = {name for name, operation in of("ecm-monitoring") if operation == "write"}
    assert written == {
        "ecm.example.monitoring.v1",
        "ecm.example.referrals.v1.monitoring.dlq",
        "ecm.example.formulation.v1.monitoring.dlq",
    }


def test_the_exchange_alone_writes_to_partners() -> None:
    writers = {
        access.principal
        for access in ALL
        if access.name.startswith("ecm.example.client.") and access.operation == "write"
    }
    assert writers == {"ecm-exchange"}


def test_every_topic_that_somebody_may_use_exists() -> None:
    named = {access.name for access in ALL if access.kind == "topic"}
    assert named == set(topics("example", ["nhs-psychology", "la-eastvale"]))


def test_dead_letters_are_kept_for_good_unless_the_region_says_how_long() -> None:
    region = example_region()
    kept = retentions(region)
    assert set(kept) == {name for name in topics("example", []) if name.endswith(".dlq")}
    assert set(kept.values()) == {-1}
    assert set(retentions(region.model_copy(update={"dead_letter_days": 90})).values()) == {90 * 86_400_000}
