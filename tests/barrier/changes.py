"""What narrows and widens a child's set, at random, one after the other, by the services' own commands."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from barrier.children import OPEN, STEADY_SECONDS, Child
from barrier.commands import Patient, RefusedError
from barrier.ground import LEASE_SECONDS, Ground
from barrier.moments import boot
from barrier.opened import Opened
from barrier.record import Closed, Record
from ecm.api.common.v1 import values_pb2 as values
from ecm.api.common.v1.record_pb2 import RecordRef
from ecm.api.consent.v1 import consent_records_pb2 as consents
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.api.exchange.v1.exchange_service_pb2 import ApplyGrantsRequest
from ecm.api.formulation.v1 import formulation_records_pb2 as meetings
from ecm.api.formulation.v1 import formulation_service_pb2 as formulation
from ecm.api.referrals.v1 import referrals_service_pb2 as referrals
from ecm.demo import material
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY
from ecm.demo.steps.afterwards import withdrawal
from ecm.demo.steps.referring import MANAGER, OPERATIONAL
from ecm.kit.lease import certainly_over

CUSTODY = "custody-northgate"
ENFORCED = consent.ENFORCEMENT_STATE_ENFORCED
_SET = "SELECT message FROM grant_set WHERE subject = $1::uuid"
# By versions: the database's clock steps.
_NEWEST = "SELECT narrowing_id::text FROM narrowing WHERE subject = $1::uuid ORDER BY epoch DESC, version DESC LIMIT 1"
_HEARD = "SELECT version FROM fact WHERE record_id = $1::uuid"


@dataclass(slots=True)
class Changes:
    """One child's changes."""

    ground: Ground
    child: Child
    record: Record
    chance: random.Random
    over: Event
    kinds: tuple[str, ...] = tuple(sorted(OPEN))
    hold_seconds: tuple[float, float] = (0.2, 1.5)
    _ask: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        # Even when all is over, what was asked for is answered: the next run begins with it.
        self._ask = Patient(self.child.journey.yot, lambda: False).ask

    def run(self, may_go: Callable[[], Any], first: float = 0.0) -> None:
        """Until it is over; each change within `may_go()`, a block that holds back what changes the whole region.

        The first of them after `first` seconds.
        """
        self.over.wait(first)
        while not self.over.is_set():
            kind = self.chance.choice(self.kinds)
            seconds = self.chance.uniform(*self.hold_seconds)
            try:
                with may_go():
                    self.change(kind)
            except RefusedError as error:
                # It isn't as was thought, e.g. since an answer was lost: the next turn goes the other way.
                self.child.state[kind] = not self.child.state[kind]
                self.record.refused[f"{kind}: {error}"] += 1
            except TimeoutError as error:
                if not self.over.is_set():
                    self.record.refused[f"{kind}: {error}"] += 1
            self.over.wait(seconds)

    def change(self, kind: str) -> None:
        """Closes what is open, opens what is closed."""
        closes, opens, agency = {
            "withdrawal": (self._withdraw, self._give, PSYCHOLOGY),
            "circulation": (self._end_circulation, self._circulate, LOCAL_AUTHORITY),
            "invitation": (self._cancel, self._invite, LOCAL_AUTHORITY),
            "restriction": (self._protect, self._unprotect, PSYCHOLOGY),
            "override": (self._end_override, self._open_override, CUSTODY),
        }[kind]
        if self.child.state[kind]:
            begun = boot()
            told = closes()
            # It is so from now on, also where the run ends before that is certain.
            self.child.state[kind] = False
            self._closed(kind, agency, told, begun)
        else:
            self.record.widening(self.child.id)
            widened = opens()
            self.child.state[kind] = True
            self._until_heard(widened)

    def open_all(self) -> None:
        """Opens what an earlier run left closed."""
        for kind in ("withdrawal", "restriction", "circulation"):
            if not self.child.state[kind]:
                self.change(kind)

    def shown(self) -> None:
        """Waits until a partner sees what was opened: a run must begin with something that can be closed."""
        asking = self.child.journey.psychology
        until = time.monotonic() + STEADY_SECONDS
        again = time.monotonic() + STEADY_SECONDS / 4
        while asking.patient(self.child.journey.subject.identifier) is None:
            if time.monotonic() > until:
                raise TimeoutError("The child has been opened, and isn't seen.")
            if time.monotonic() > again:
                # An answer was lost, and it isn't as was thought.
                again = until
                with suppress(RefusedError):
                    self._give()
            time.sleep(0.05)

    def opened(self, agency: str) -> Opened:
        """What the newest set that `consent` compiled opens to an agency."""
        rows = self.ground.database("consent").fetch(_SET, self.child.id)
        message = ApplyGrantsRequest.FromString(rows[0]["message"]) if rows else ApplyGrantsRequest()
        return Opened.of_message(message, agency)

    def _closed(self, kind: str, agency: str, told: consent.Enforcement | None, begun: float) -> None:
        """Waits for A = ENFORCED, of the answer itself or of the newest narrowing, and writes it down."""
        while told is None or told.state != ENFORCED:
            if told is not None and self.over.wait(0.1):
                raise TimeoutError("not enforced before the end")
            told = self._enforcement()
        since = boot()
        by_time = since - begun > certainly_over(LEASE_SECONDS)
        self.record.narrowed(Closed(kind, agency, self.child.id, since, self.opened(agency), by_time))

    def _enforcement(self) -> consent.Enforcement:
        (row,) = self.ground.database("consent").fetch(_NEWEST, self.child.id)
        request = consent.GetEnforcementRequest(narrowing_id=row["narrowing_id"])
        answer = self._ask(MANAGER, self.child.journey.yot.consent.GetEnforcement, request)
        found: consent.Enforcement = answer.enforcement
        return found

    def _until_heard(self, widened: RecordRef | None) -> None:
        """A widening that travels as an event must have arrived before the next narrowing: else it isn't known what
        that leaves open."""
        database = self.ground.database("consent")
        while widened is not None and not self.over.wait(0.05):
            rows = database.fetch(_HEARD, widened.record_id)
            if rows and rows[0]["version"] >= widened.version:
                return

    def _withdraw(self) -> consent.Enforcement:
        yot = self.child.journey.yot
        answer = self._ask(MANAGER, yot.consent.Withdraw, withdrawal(self.child.journey))
        self.child.journey.ids["consent"] = answer.ref.record_id
        told: consent.Enforcement = answer.enforcement
        return told

    def _give(self) -> None:
        journey = self.child.journey
        request = consent.GiveConsentRequest(
            case_id=journey.ids["case"],
            instruments=material.instruments(journey.subject, journey.today),
            supersedes=journey.ids["consent"],
        )
        self._ask(MANAGER, journey.yot.consent.GiveConsent, request)

    def _circulate(self) -> RecordRef:
        journey = self.child.journey
        request = formulation.CirculateReportRequest(
            report_id=journey.ids["report"], expected_version=journey.versions["report"], agencies=[LOCAL_AUTHORITY]
        )
        return self._keep("report", self._ask(MANAGER, journey.yot.formulation.CirculateReport, request))

    def _end_circulation(self) -> None:
        journey = self.child.journey
        request = formulation.EndCirculationRequest(
            report_id=journey.ids["report"],
            expected_version=journey.versions["report"],
            agency=LOCAL_AUTHORITY,
            reason="An invented reason",
        )
        self._keep("report", self._ask(MANAGER, journey.yot.formulation.EndCirculation, request))

    def _invite(self) -> RecordRef:
        request = formulation.InviteAgencyRequest(
            meeting_id=self.child.review,
            agency=LOCAL_AUTHORITY,
            attendee_kind=meetings.ATTENDEE_KIND_PROFESSIONAL,
            role="social worker",
        )
        return self._keep("invited", self._ask(MANAGER, self.child.journey.yot.formulation.InviteAgency, request))

    def _cancel(self) -> None:
        journey = self.child.journey
        request = formulation.CancelInvitationRequest(
            invitation_id=journey.ids["invited"],
            expected_version=journey.versions["invited"],
            reason="An invented reason",
        )
        self._ask(MANAGER, journey.yot.formulation.CancelInvitation, request)

    def _protect(self) -> None:
        request = referrals.ProtectDetailRequest(
            child_id=self.child.id,
            expected_version=self._child_version(),
            kind=values.PROTECTED_KIND_ADDRESS,
            reason="An invented reason",
        )
        self._ask(MANAGER, self.child.journey.yot.referrals.ProtectDetail, request)

    def _unprotect(self) -> RecordRef:
        request = referrals.UnprotectDetailRequest(
            child_id=self.child.id,
            expected_version=self._child_version(),
            kind=values.PROTECTED_KIND_ADDRESS,
            reason="An invented reason",
        )
        return self._keep("child", self._ask(MANAGER, self.child.journey.yot.referrals.UnprotectDetail, request))

    def _child_version(self) -> int:
        get = referrals.GetChildRequest(child_id=self.child.id)
        return int(self._ask(MANAGER, self.child.journey.yot.referrals.GetChild, get).ref.version)

    def _open_override(self) -> None:
        wanted = consents.Override(
            recipient=CUSTODY,
            categories=[values.CATEGORY_HEALTH, values.CATEGORY_FORMULATION, values.CATEGORY_REFERRAL],
            reason="An invented reason.",
            threshold="significant-harm",
            child_told=True,
        )
        wanted.ends_at.FromDatetime(datetime.now(UTC) + timedelta(hours=48))
        request = consent.OpenOverrideRequest(child_id=self.child.id, override=wanted)
        self._keep("override", self._ask(OPERATIONAL, self.child.journey.yot.consent.OpenOverride, request))

    def _end_override(self) -> consent.Enforcement:
        journey = self.child.journey
        request = consent.EndOverrideRequest(
            override_id=journey.ids["override"], expected_version=journey.versions["override"], reason="Over"
        )
        answer = self._ask(MANAGER, journey.yot.consent.EndOverride, request)
        told: consent.Enforcement = answer.enforcement
        return told

    def _keep(self, name: str, answer: Any) -> RecordRef:
        journey = self.child.journey
        journey.ids[name], journey.versions[name] = answer.ref.record_id, answer.ref.version
        ref: RecordRef = answer.ref
        return ref
