"""What a partner may write, and as which command. What isn't here is 403."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from google.protobuf.message import Message

from ecm.exchange.intake import answers, clinical, plans, reports
from ecm.exchange.intake.context import Found, Writer
from ecm.exchange.intake.elements import Element, invariant
from ecm.exchange.intake.references import Named
from ecm.kit.auth.roles import PSYCHOLOGY
from ecm.kit.errors import DomainError, Reason

Interaction = Literal["create", "update"]


@dataclass(frozen=True, slots=True)
class Write:
    """One row. `by` are agency kinds, empty where `formulation` decides (the invited agency).

    `kinds` are the record kinds that an update may change; `rpc` is a method of FormulationService.
    """

    type: str
    interaction: Interaction
    recognises: Callable[[Element], bool]
    references: Callable[[Element], list[Named]]
    command: Callable[[Element, Writer, Found], Message]
    rpc: str
    by: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    needs_case: bool = False

    @property
    def clinical(self) -> bool:
        """Whether it needs a registered author: what psychology alone may write."""
        return bool(self.by)


_PSYCHOLOGY = frozenset({PSYCHOLOGY})


def _is_map(root: Element) -> bool:
    return clinical.observes(root) == clinical.MAP


def _is_stage(root: Element) -> bool:
    return clinical.observes(root) == clinical.STAGE


def _is_recommendations(root: Element) -> bool:
    return plans.plans(root) in (plans.RECOMMENDATIONS, "")


def _is_contribution(root: Element) -> bool:
    return not reports.is_report(root)


def _is_report(status: str) -> Callable[[Element], bool]:
    return lambda root: reports.is_report(root) and reports.doc_status(root) == status


def _document(interaction: Interaction, status: str, rpc: str, *kinds: str) -> Write:
    command = {
        "DraftReport": reports.draft_command,
        "FinaliseReport": reports.final_command,
        "AmendReport": reports.amend_command,
    }[rpc]
    return Write(
        "DocumentReference", interaction, _is_report(status), reports.document_references, command, rpc,
        by=_PSYCHOLOGY, kinds=frozenset(kinds),
    )  # fmt: skip


def _observation(recognises: Callable[[Element], bool], command: Callable[..., Message], rpc: str) -> Write:
    return Write(
        "Observation", "create", recognises, clinical.observation_references, command, rpc,
        by=_PSYCHOLOGY, needs_case=True,
    )  # fmt: skip


def _plan(interaction: Interaction, *kinds: str) -> Write:
    return Write(
        "CarePlan", interaction, _is_recommendations, plans.plan_references, plans.plan_command,
        "RecordRecommendations", by=_PSYCHOLOGY, kinds=frozenset(kinds), needs_case=True,
    )  # fmt: skip


TABLE: Final[tuple[Write, ...]] = (
    Write(
        "AppointmentResponse", "create", lambda _: True, answers.answer_references, answers.answer_command,
        "AnswerInvitation",
    ),
    Write(
        "DocumentReference", "create", _is_contribution, reports.document_references, reports.contribution_command,
        "ContributeInformation",
    ),
    _document("create", "preliminary", "DraftReport"),
    _document("update", "preliminary", "DraftReport", "REPORT_DRAFT"),
    _document("update", "final", "FinaliseReport", "REPORT_DRAFT"),
    _document("create", "amended", "AmendReport"),
    _document("update", "amended", "AmendReport", "REPORT"),
    _observation(_is_map, clinical.map_command, "RecordDevelopmentalMap"),
    _observation(_is_stage, clinical.stage_command, "PlaceOnRecoveryModel"),
    _plan("create"),
    _plan("update", "RECOMMENDATIONS"),
)  # fmt: skip

# (interaction, type) of the table, for routing and the CapabilityStatement.
WRITABLE: Final = tuple(dict.fromkeys((row.interaction, row.type) for row in TABLE))


def check_admitted(interaction: Interaction, resource_type: str, agency_kind: str | None) -> None:
    """PERMISSION_DENIED where no row of the type and interaction is for that kind of agency: nothing is read then."""
    rows = [row for row in TABLE if (row.interaction, row.type) == (interaction, resource_type)]
    if not any(_admits(row, agency_kind) for row in rows):
        raise _denied(interaction, resource_type)


def find(interaction: Interaction, root: Element, agency_kind: str | None) -> Write:
    """The row that the resource is. PERMISSION_DENIED where it isn't the agency's; INVARIANT where it is none."""
    kind = str(root.value["resourceType"])
    rows = [row for row in TABLE if (row.interaction, row.type) == (interaction, kind)]
    row = next((each for each in rows if each.recognises(root)), None)
    if row is None:
        message = "It is none of the kinds that are taken here; see the CapabilityStatement."
        raise invariant(message, root.at(_told_by(root)))
    if not _admits(row, agency_kind):
        raise _denied(interaction, kind)
    return row


def _told_by(root: Element) -> str:
    """The element that tells one kind from another."""
    if root.value["resourceType"] == "DocumentReference":
        return "docStatus" if reports.is_report(root) else "type"
    return {"Observation": "code", "CarePlan": "category"}.get(str(root.value["resourceType"]), "id")


def _admits(row: Write, agency_kind: str | None) -> bool:
    return agency_kind is not None and (not row.by or agency_kind in row.by)


def _denied(interaction: Interaction, kind: str) -> DomainError:
    return DomainError(Reason.PERMISSION_DENIED, f"Your agency doesn't {interaction} this {kind} here.")
