"""Observation → developmental map, recovery-model stage. https://hl7.org/fhir/R4/observation.html"""

import re
from collections.abc import Mapping
from decimal import Decimal

from ecm.api.common.v1.values_pb2 import Date, FreeText, ProtectedDeclaration
from ecm.api.formulation.v1 import formulation_service_pb2 as commands
from ecm.api.formulation.v1.formulation_records_pb2 import DevelopmentalMap, RecoveryStage
from ecm.exchange.intake.authors import check_named
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.documents import declaration, free_text
from ecm.exchange.intake.elements import Element, invariant
from ecm.exchange.intake.references import Named, named, named_in
from ecm.exchange.mapping import codes
from ecm.exchange.mapping.clinical import DEVELOPMENTAL_COMPONENTS, RECOVERY_COMPONENTS

MAP, STAGE = "developmental-map", "recovery-stage"
_OLDEST = 25
_YEARS = re.compile(r"^\d{1,2}(\.\d)?$")
# What is kept of an Observation; here and in the profiles `ecm-developmental-map` and `ecm-recovery-stage`.
_COMMON = ("status", "category", "code", "subject", "encounter", "basedOn", "effectiveDateTime", "performer")
MAP_ELEMENTS = (*_COMMON, "component")
STAGE_ELEMENTS = (*_COMMON, "component", "valueCodeableConcept", "extension")


def observes(root: Element) -> str:
    """The own code of what is observed; "" where it is none of ours."""
    found = root.required("code").codes(codes.OBSERVATION)
    return found[0] if len(found) == 1 else ""


def observation_references(root: Element) -> list[Named]:
    """Subject, encounter where it is named, and the case where it is."""
    inside = [named(root, "encounter", "Encounter")] if root.has("encounter") else []
    return [named(root, "subject", "Patient"), *inside, *named_in(root, "basedOn", "ServiceRequest")]


def map_command(root: Element, writer: Writer, found: Found) -> commands.RecordDevelopmentalMapRequest:
    """Four estimates, in years with one decimal at most (checklist 161)."""
    root.allow(*MAP_ELEMENTS, resource=True)
    _check_common(root, writer)
    components = _components(root, {f"developmental-age-{code}": code for code in DEVELOPMENTAL_COMPONENTS})
    ages = {DEVELOPMENTAL_COMPONENTS[code]: _years(component) for code, component in components.items()}
    if len(ages) < len(DEVELOPMENTAL_COMPONENTS):
        raise invariant("There are four estimates: physical, social, cognitive, emotional.", root.at("component"))
    content = DevelopmentalMap(effective_on=_effective(root, writer))
    for field, years in ages.items():
        setattr(content, field, years)
    return commands.RecordDevelopmentalMapRequest(case_id=str(found.case_id), map=content)


def stage_command(root: Element, writer: Writer, found: Found) -> commands.PlaceOnRecoveryModelRequest:
    """A stage of the region's model; presentation, need and intervention as components (162)."""
    root.allow(*STAGE_ELEMENTS, resource=True)
    _check_common(root, writer)
    model = writer.region.recovery_model
    declared = declaration(root)
    words = _components(root, {f"recovery-{code}": code for code in RECOVERY_COMPONENTS})
    content = RecoveryStage(
        model=model.code,
        model_version=model.version,
        stage=_stage(root.required("valueCodeableConcept"), writer),
        effective_on=_effective(root, writer),
    )
    for code, component in words.items():
        getattr(content, RECOVERY_COMPONENTS[code]).CopyFrom(_words(component, declared))
    return commands.PlaceOnRecoveryModelRequest(case_id=str(found.case_id), stage=content)


def _check_common(root: Element, writer: Writer) -> None:
    root.code("status", {"final"})
    check_named(root, "performer", writer)


def _effective(root: Element, writer: Writer) -> Date:
    day = root.day("effectiveDateTime", writer.region.zone)
    return Date(year=day.year, month=day.month, day=day.day)


def _components(root: Element, known: Mapping[str, str]) -> dict[str, Element]:
    """The components by what they are about; each once, no others."""
    found: dict[str, Element] = {}
    for component in root.each("component", most=len(known)):
        said = [known[code] for code in component.required("code").codes(codes.OBSERVATION) if code in known]
        if len(said) != 1 or said[0] in found:
            raise invariant(f"Its code is one of {', '.join(known)}, each once.", component.at("code"))
        found[said[0]] = component
    return found


def _years(component: Element) -> str:
    component.allow("code", "valueQuantity")
    quantity = component.required("valueQuantity")
    quantity.allow("value", "unit", "system", "code")
    quantity.code("system", {codes.UCUM})
    quantity.code("code", {"a"})
    value: Decimal = quantity.decimal("value")
    written = str(value)
    if not _YEARS.match(written) or value > _OLDEST:
        raise invariant(f"It is 0 to {_OLDEST} years with at most one decimal.", quantity.at("value"))
    return written


def _stage(value: Element, writer: Writer) -> int:
    model = writer.region.recovery_model
    system = codes.recovery_model(model.code)
    codings = [coding for coding in value.each("coding", least=1) if coding.text("system") == system]
    if len(codings) != 1 or codings[0].text("version") not in ("", model.version):
        raise invariant(f"It is one stage of {system}, version {model.version}.", value.at("coding"))
    stage = codings[0].code("code", {str(number) for number in model.stages})
    return int(stage)


def _words(component: Element, declared: ProtectedDeclaration | None) -> FreeText:
    component.allow("code", "valueString")
    return free_text(component.text("valueString", required=True), declared)
