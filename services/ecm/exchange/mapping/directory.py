"""Agencies → Organization, registered professionals → Practitioner: everybody may see them.

https://hl7.org/fhir/R4/organization.html, …/practitioner.html
"""

from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.elements import prune
from ecm.exchange.mapping.resource import Json, MappedResource
from ecm.exchange.mapping.views import View
from ecm.exchange.mapping.vocabulary import own


def organization(region: str, agency: str, name: str, kind: str, ods: str | None) -> MappedResource:
    """An agency of the region, with its ODS code where it has one."""
    body = {
        "identifier": [{"system": codes.ODS, "value": ods}] if ods else [],
        "active": True,
        "type": [own(codes.AGENCY_KIND, kind)],
        "name": name,
    }
    return _everybodys(region, "Organization", agency, codes.UKCORE_ORGANIZATION, body)


def practitioner(region: str, name: str, system: str, number: str) -> MappedResource:
    """A registered professional, by their registration."""
    body = {"identifier": [{"system": system, "value": number}], "active": True, "name": [{"text": name}]}
    return _everybodys(region, "Practitioner", f"{system}|{number}", codes.UKCORE_PRACTITIONER, body)


def _everybodys(region: str, resource_type: str, key: str, profile: str, body: Json) -> MappedResource:
    record = ids.directory_record(region)
    identity = ids.fhir_id(record, resource_type, key)
    head: Json = {"resourceType": resource_type, "id": identity, "meta": {"profile": [profile]}}
    return MappedResource(resource_type, identity, record, (), {View.FULL: prune(head | body)})
