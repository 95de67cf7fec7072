"""Documents → DocumentReference, and who wrote them → Provenance.

A document can't be cut: without its author's declaration that it holds nothing
that can be protected it exists in the view `full` alone.
https://hl7.org/fhir/R4/documentreference.html, …/provenance.html
"""

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.common.v1.values_pb2 import Document, FreeText
from ecm.exchange.mapping import codes, ids
from ecm.exchange.mapping.elements import attachment, concept, extension, moment
from ecm.exchange.mapping.resource import Json, M, MappedResource, Source
from ecm.exchange.mapping.views import View, declared, holds_nothing
from ecm.exchange.mapping.vocabulary import own


def shows_document(document: Document, view: View) -> bool:
    """Whether a document exists in a view."""
    return bool(document.content) and (view is View.FULL or holds_nothing(document))


def document_reference(source: Source[M], document: Document, kind: str, *categories: str, url: str = "") -> Json:
    """The elements that every DocumentReference has; `kind` is a code of `ecm-document`."""
    return {
        "extension": declaration(document),
        "status": "current",
        "type": own(codes.DOCUMENT, kind),
        "category": [own(codes.CATEGORY, category) for category in categories],
        "subject": source.subject,
        "custodian": source.context.yot(source.yot),
        "content": [{"attachment": attachment(document, url=url)}],
    }


def declaration(*held: FreeText | Document) -> list[Json]:
    """What their author declared, as it is written by partners too; nothing where it wasn't."""
    return [extension(codes.PROTECTED_DECLARATION, valueCode=kind) for kind in declared(*held)]


def about_meeting(meeting_id: str) -> Json:
    """The context of what belongs to a meeting."""
    return {"related": [ids.reference(meeting_id, "Appointment")] if meeting_id else []}


def authors(source: Source[M], person: AssertedPractitioner, agency: str) -> list[Json | None]:
    """Who wrote it: the registered professional where one is asserted, and the agency."""
    return [source.context.practitioner(person), source.context.organization(agency)]


def provenance(
    source: Source[M],
    target: MappedResource,
    person: AssertedPractitioner,
    agency: str,
    recorded: str | None = None,
) -> list[MappedResource]:
    """Who wrote `target`, on whose behalf; nothing where neither is known.

    It has the target's categories, and is there in the views in which the target is.
    """
    organization = source.context.organization(agency)
    who = source.context.practitioner(person) or organization
    if who is None:
        return []
    body = {
        "target": [{"reference": f"{target.type}/{target.id}"}],
        "recorded": recorded or moment(source.recorded_at),
        "agent": [
            {
                "type": concept(codes.PROVENANCE_PARTICIPANT, "author", "Author"),
                "who": who,
                "onBehalfOf": organization if who is not organization else None,
            }
        ],
    }
    views = list(target.renditions)
    return [source.resource("Provenance", lambda _: body, *target.categories, key=target.type, views=views)]
