"""Who is whose: the child's family as generations and unions, from the members in `referrals` (135, 144, 146)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ecm.api.common.v1.values_pb2 import PartialDate
from ecm.api.referrals.v1 import referrals_records_pb2 as referrals
from ecm.formulation.model.periods import earliest

CHILD = "child"
"""The id by which `parent_ids` means the child itself."""

_GENERATION = {
    referrals.RELATIONSHIP_GRANDPARENT: 0,
    referrals.RELATIONSHIP_SIBLING: 2,
    referrals.RELATIONSHIP_HALF_SIBLING: 2,
    referrals.RELATIONSHIP_STEP_SIBLING: 2,
    referrals.RELATIONSHIP_OWN_CHILD: 3,
}
_CHILDS, _PARENTS, GENERATIONS = 2, 1, 4
_PLACE = (
    referrals.RELATIONSHIP_AUNT_OR_UNCLE,
    referrals.RELATIONSHIP_FATHER,
    referrals.RELATIONSHIP_MOTHER,
    referrals.RELATIONSHIP_STEP_PARENT,
    referrals.RELATIONSHIP_CARER,
    referrals.RELATIONSHIP_SIGNIFICANT_ADULT,
)
"""From left to right among the parents: the father stands left of the mother, who stands beside a step-parent."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the tree. `generation` counts from the grandparents, 0."""

    key: str
    name: str
    relation: str
    gender: int
    generation: int
    born: PartialDate | None
    died: PartialDate | None
    place: int = 0
    parental_responsibility: bool = False


@dataclass(slots=True)
class Union:
    """Parents (one or two), and the children of both."""

    parents: tuple[str, ...]
    children: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Family:
    """The child and the members, by key, and their unions."""

    people: Mapping[str, Person]
    unions: Sequence[Union]

    def row(self, generation: int) -> list[Person]:
        """A generation from left to right: by place, siblings by birth."""
        row = [person for person in self.people.values() if person.generation == generation]
        return sorted(row, key=lambda person: (person.place, _birth(person), person.key))


def family_of(child: referrals.Child, members: Mapping[str, referrals.FamilyMember]) -> Family:
    """The family as the file tells it; parents that aren't linked are known by their relationship."""
    people = {CHILD: _child(child)} | {key: _member(key, member) for key, member in members.items()}
    parents = {key: _parents(key, members) for key in people}
    return Family(people, _unions(parents, members))


def _child(child: referrals.Child) -> Person:
    name = child.preferred_name or " ".join(child.given_names)
    born = PartialDate(year=child.date_of_birth.year, month=child.date_of_birth.month, day=child.date_of_birth.day)
    return Person(CHILD, name, "", child.gender, _CHILDS, born, None)


def _member(key: str, member: referrals.FamilyMember) -> Person:
    name = referrals.Relationship.Name(member.relationship).removeprefix("RELATIONSHIP_")
    return Person(
        key=key,
        name=" ".join([*member.given_names, member.family_name]).strip(),
        relation=name.lower().replace("_", " "),
        gender=member.gender,
        generation=_GENERATION.get(member.relationship, _PARENTS),
        born=member.date_of_birth if member.HasField("date_of_birth") else None,
        died=member.date_of_death if member.HasField("date_of_death") else None,
        place=_PLACE.index(member.relationship) if member.relationship in _PLACE else 0,
        parental_responsibility=member.parental_responsibility,
    )


def _parents(key: str, members: Mapping[str, referrals.FamilyMember]) -> tuple[str, ...]:
    member = members.get(key)
    if member is not None and member.parent_ids:
        return tuple(sorted({parent for parent in member.parent_ids if parent in members or parent == CHILD} - {key}))
    if member is None or member.relationship == referrals.RELATIONSHIP_SIBLING:
        return tuple(sorted(key for key, found in members.items() if found.relationship in _BY_BIRTH))
    return (CHILD,) if member.relationship == referrals.RELATIONSHIP_OWN_CHILD else ()


_BY_BIRTH = (referrals.RELATIONSHIP_MOTHER, referrals.RELATIONSHIP_FATHER)


def _unions(parents: Mapping[str, tuple[str, ...]], members: Mapping[str, referrals.FamilyMember]) -> list[Union]:
    """One union per set of parents, and per couple without children here."""
    found: dict[tuple[str, ...], Union] = {}
    for key in sorted(parents):
        if parents[key]:
            found.setdefault(parents[key], Union(parents[key])).children.append(key)
    for key, member in sorted(members.items()):
        for partner in member.partner_ids:
            couple = tuple(sorted((key, partner)))
            if partner != key and (partner in members or partner == CHILD):
                found.setdefault(couple, Union(couple))
    return list(found.values())


def _birth(person: Person) -> date:
    return earliest(person.born) if person.born is not None and person.born.year else date.max
