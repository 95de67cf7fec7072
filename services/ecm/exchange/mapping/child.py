"""Child → Patient in three views: https://hl7.org/fhir/R4/patient.html"""

from ecm.api.referrals.v1.referrals_records_pb2 import Child, PlacementKind
from ecm.exchange.mapping import codes, people
from ecm.exchange.mapping.elements import coding, date, enum_concept, extension
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import ALL_VIEWS, View


def map_child(source: Source[Child]) -> list[MappedResource]:
    """The child's Patient. It has no category: any grant on the child opens it, in that grant's view."""
    renderers = {View.FULL: _full, View.UNPROTECTED: _unprotected, View.MINIMUM: _minimum}
    return [
        source.resource("Patient", lambda view: renderers[view](source), profile=codes.UKCORE_PATIENT, views=ALL_VIEWS)
    ]


def identifiers(child: Child, base: str, yot: str) -> list[Json]:
    """NHS number and the YOT's own number, as far as the file has them."""
    found = ((codes.NHS_NUMBER, child.nhs_number), (codes.case_number(base, yot), child.local_case_number))
    return [{"system": system, "value": value} for system, value in found if value]


def _minimum(source: Source[Child]) -> Json:
    """Name, date of birth and identifiers, and nothing else."""
    child = source.content
    return {
        "identifier": identifiers(child, source.context.identifier_base, source.yot),
        "name": [people.name(child.given_names, child.family_name, "official")],
        "birthDate": date(child.date_of_birth),
    }


def _unprotected(source: Source[Child]) -> Json:
    """Without any element of a kind that can be protected, flagged or not: switching needs no new projection."""
    child = source.content
    minimum = _minimum(source)
    return minimum | {
        "extension": [_ethnic_category(child.ethnic_category), _interpreter(child)],
        "active": True,
        "name": [*minimum["name"], people.name([child.preferred_name] if child.preferred_name else [], "", "usual")],
        "gender": people.GENDERS.get(child.gender),
        "communication": [_communication(child)],
        "managingOrganization": source.context.yot(source.yot),
    }


def _full(source: Source[Child]) -> Json:
    child = source.content
    rest = _unprotected(source)
    identity = child.adoption_identity
    return rest | {
        "extension": [*rest["extension"], _placement(child), _school(child)],
        "name": [*rest["name"], people.name(identity.given_names, identity.family_name, "old")],
        "telecom": people.telecom(child.contacts),
        "address": [people.address(child.address)],
    }


def _ethnic_category(code: str) -> Json:
    """UK Core wants the code systems with England or Wales in their names; what England hasn't is Welsh."""
    if not code:
        return {}
    system = codes.ETHNIC_CATEGORY_WALES if code == "T" else codes.ETHNIC_CATEGORY_ENGLAND
    return extension(codes.ETHNIC_CATEGORY, valueCodeableConcept={"coding": [coding(system, code)]})


def _interpreter(child: Child) -> Json:
    return extension(codes.INTERPRETER_REQUIRED, valueBoolean=True) if child.interpreter_needed else {}


def _communication(child: Child) -> Json:
    if not child.language:
        return {}
    return {"language": {"coding": [coding(codes.BCP47, child.language)]}, "preferred": True}


def _placement(child: Child) -> Json:
    placement = child.placement
    parts = [
        extension("kind", valueCodeableConcept=enum_concept(codes.PLACEMENT_KIND, PlacementKind, placement.kind)),
        extension("name", valueString=placement.name),
        extension("address", valueAddress=people.address(placement.address)),
    ]
    return {"url": codes.PLACEMENT, "extension": parts} if any(parts) else {}


def _school(child: Child) -> Json:
    parts = [extension("name", valueString=child.school.name), extension("urn", valueString=child.school.urn)]
    return {"url": codes.SCHOOL, "extension": parts} if any(parts) else {}
