"""What every definition has. https://hl7.org/fhir/R4/canonicalresource.html"""

from typing import Any, Final

from ecm.exchange.mapping.codes import CANONICAL

Json = dict[str, Any]

# Of the definitions, not of the program: a change of meaning is a new version.
VERSION: Final = "1"
DATE: Final = "2026-11-24"
PUBLISHER: Final = "ECM Exchange"


def artefact(url: str, title: str, description: str = "") -> Json:
    """The elements of a canonical resource; type and id come from the URL."""
    kind, _, identity = url.removeprefix(f"{CANONICAL}/").partition("/")
    return {
        "resourceType": kind,
        "id": identity,
        "url": url,
        "version": VERSION,
        "name": name(identity),
        "title": title,
        "status": "active",
        "date": DATE,
        "publisher": PUBLISHER,
        "description": description or f"{title}.",
    }


def name(identity: str) -> str:
    """A name that a program could use: ecm-risk-level → EcmRiskLevel."""
    return "".join(part.capitalize() for part in identity.split("-"))
