"""Step 7: what psychology writes through the exchange, accuracy check, circulation (checklist 161 to 173)."""

from http import HTTPStatus
from typing import Any

import grpc
import httpx

from ecm.api.formulation.v1 import formulation_service_pb2 as messages
from ecm.demo import fhir
from ecm.demo.journey import LOCAL_AUTHORITY, Journey, expect, expect_status, until
from ecm.demo.partner import Resource
from ecm.demo.steps.referring import MANAGER, SENIOR


def report(journey: Journey) -> list[str]:
    """Map, stage, recommendations, draft, both checks, final, circulated."""
    patient, appointment = _clinical_context(journey)
    _post(journey, fhir.developmental_map(patient))
    _post(journey, fhir.recovery_stage(patient, stage=2))
    _post(journey, fhir.recommendations(patient))
    draft = _post(journey, fhir.report(patient, appointment, status="preliminary"))
    refused = _only_psychology(journey)
    _check(journey)
    _finalise(journey, draft, patient, appointment)
    return [
        "developmental map, stage 2, recommendations and a draft, each by its registered author",
        f"nobody else can: {refused}",
        _circulate(journey),
    ]


def _clinical_context(journey: Journey) -> tuple[str, str]:
    def look() -> tuple[str, str] | None:
        seen = journey.psychology.everything(journey.subject.identifier)
        ids = {resource["resourceType"]: str(resource["id"]) for resource in seen}
        return (ids["Patient"], ids["Appointment"]) if {"Patient", "Appointment", "Encounter"} <= ids.keys() else None

    return until(look, "psychology sees the meeting")


def _post(journey: Journey, resource: dict[str, Any]) -> httpx.Response:
    answer = journey.psychology.create(
        resource, X_Provenance=fhir.provenance("psychologist-1"), Prefer="return=representation"
    )
    expect_status(answer, HTTPStatus.CREATED, f"{resource['resourceType']} is taken")
    journey.posted.append(str(answer.headers["Location"]))
    return answer


def _only_psychology(journey: Journey) -> str:
    patient = journey.local_authority.patient(journey.subject.identifier) or {}
    answer = journey.local_authority.create(
        fhir.developmental_map(str(patient["id"])), X_Provenance=fhir.provenance("psychologist-1")
    )
    expect_status(answer, HTTPStatus.FORBIDDEN, "the local authority is refused")
    request = messages.RecordDevelopmentalMapRequest(case_id=journey.ids["case"])
    try:
        journey.yot.call(MANAGER, journey.yot.formulation.RecordDevelopmentalMap, request)
    except grpc.RpcError as error:
        expect(error.code() is grpc.StatusCode.PERMISSION_DENIED, f"the case manager is refused: {error.code()}")
        return str(error.details())
    raise AssertionError("a case manager recorded a developmental map")


def _check(journey: Journey) -> None:
    draft = _formulation(journey).drafts[-1].ref
    journey.versions["draft"] = draft.version
    for person in (MANAGER, SENIOR):
        request = messages.CheckReportRequest(draft_id=draft.record_id, expected_version=journey.versions["draft"])
        journey.command(person, journey.yot.formulation.CheckReport, request, "draft")


def _formulation(journey: Journey) -> messages.GetFormulationResponse:
    request = messages.GetFormulationRequest(case_id=journey.ids["case"])
    found: messages.GetFormulationResponse = journey.yot.call(MANAGER, journey.yot.formulation.GetFormulation, request)
    return found


def _finalise(journey: Journey, draft: httpx.Response, patient: str, appointment: str) -> None:
    location = str(draft.headers["Location"]).split("/_history/", maxsplit=1)[0]
    resource = fhir.report(patient, appointment, status="final", declared_free=True)
    # As any client: read, update; read again where a check arrived in between (412).
    until(lambda: _updated(journey, location, resource), "the report is final")


def _updated(journey: Journey, location: str, resource: Resource) -> bool:
    current = journey.psychology.get(location)
    if current.status_code == HTTPStatus.NOT_FOUND:
        return False  # hidden, until the version that a check made is projected
    expect_status(current, HTTPStatus.OK, "psychology reads its draft")
    answer = journey.psychology.update(
        resource | {"id": current.json()["id"]},
        X_Provenance=fhir.provenance("psychologist-1"),
        If_Match=current.headers["ETag"],
    )
    if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
        return False
    expect(answer.is_success, f"the report is final: {answer.status_code} {answer.text[:300]}")
    return True


def _circulate(journey: Journey) -> str:
    final = _formulation(journey).reports[-1].ref
    request = messages.CirculateReportRequest(
        report_id=final.record_id, expected_version=final.version, agencies=[LOCAL_AUTHORITY]
    )
    journey.command(MANAGER, journey.yot.formulation.CirculateReport, request, "report")
    until(lambda: _authority_report(journey), "the local authority sees the report")
    return "circulated: the local authority reads the report beside its invitation, and nothing more"


def _authority_report(journey: Journey) -> bool:
    seen = journey.local_authority.everything(journey.subject.identifier)
    return any(resource.get("docStatus") == "final" for resource in seen)
