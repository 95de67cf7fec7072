"""FamilyMember → RelatedPerson: https://hl7.org/fhir/R4/relatedperson.html"""

from functools import partial

from ecm.api.referrals.v1.referrals_records_pb2 import FamilyMember, Relationship
from ecm.exchange.mapping import categories, codes, ids, people
from ecm.exchange.mapping.elements import enum_concept, extension, partial_date
from ecm.exchange.mapping.resource import Json, MappedResource, Source
from ecm.exchange.mapping.views import View


def map_family_member(source: Source[FamilyMember]) -> list[MappedResource]:
    """The member as RelatedPerson, with their place in the family tree (checklist 135)."""
    return [
        source.resource(
            "RelatedPerson",
            partial(_related_person, source),
            categories.FAMILY,
            profile=codes.UKCORE_RELATED_PERSON,
        )
    ]


def _related_person(source: Source[FamilyMember], view: View) -> Json | None:
    member = source.content
    # A carer's name says where the child is placed.
    if view is not View.FULL and member.relationship == Relationship.RELATIONSHIP_CARER:
        return None
    body: Json = {
        "extension": [*_tree(source), *_standing(member)],
        "active": True,
        "patient": source.subject,
        "relationship": [enum_concept(codes.RELATIONSHIP, Relationship, member.relationship)],
        "gender": people.GENDERS.get(member.gender),
        "birthDate": partial_date(member.date_of_birth),
    }
    return body | _in_full(member, body) if view is View.FULL else body


def _standing(member: FamilyMember) -> list[Json]:
    responsible = extension(codes.PARENTAL_RESPONSIBILITY, valueBoolean=True) if member.parental_responsibility else {}
    return [responsible, extension(codes.DATE_OF_DEATH, valueDate=partial_date(member.date_of_death))]


def _in_full(member: FamilyMember, body: Json) -> Json:
    """Where they live and how they are reached: perhaps the child too, so it can be protected.

    Their name too: a birth parent's says who an adopted child was.
    """
    shared = extension(codes.LIVES_WITH_CHILD, valueBoolean=True) if member.lives_with_child else {}
    return {
        "extension": [*body["extension"], shared],
        "name": [people.name(member.given_names, member.family_name)],
        "telecom": people.telecom(member.contacts),
        "address": [people.address(member.address)],
    }


def _tree(source: Source[FamilyMember]) -> list[Json]:
    member = source.content
    pairs = [("parent", other) for other in member.parent_ids] + [("partner", other) for other in member.partner_ids]
    return [
        {
            "url": codes.FAMILY_TREE,
            "extension": [
                {"url": "relation", "valueCode": role},
                {"url": "person", "valueReference": _person(source, other)},
            ],
        }
        for role, other in pairs
        if other
    ]


def _person(source: Source[FamilyMember], other: str) -> ids.Reference:
    return source.subject if other == "child" else ids.reference(other, "RelatedPerson")
