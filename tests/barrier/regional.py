"""What narrows and widens for an agency in the whole region: an agreement ended, a client blocked."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from barrier.changes import CUSTODY, ENFORCED, Changes
from barrier.commands import Patient, RefusedError
from barrier.ground import Ground
from barrier.moments import boot
from barrier.opened import Opened
from barrier.record import Closed, Record
from ecm.admin.agreements import to_wire
from ecm.api.consent.v1 import consent_service_pb2 as consent
from ecm.demo.journey import LOCAL_AUTHORITY, PSYCHOLOGY
from ecm.demo.yot import Yot

ADMINISTRATOR, OFFICER = "administrator", "data-protection-officer"


@dataclass(slots=True)
class Regional:
    """Ends and renews agreements, blocks and unblocks clients; no child changes meanwhile."""

    ground: Ground
    children: list[Changes]
    record: Record
    chance: random.Random
    over: Event
    _yot: Yot = field(init=False)
    _ask: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        self._yot = Yot(self.ground.stack)
        # Even when all is over, what was closed is opened again: the next run begins with it.
        self._ask = Patient(self._yot, lambda: False).ask

    def run(self, alone: Callable[[], Any], every: tuple[float, float] = (6.0, 14.0)) -> None:
        """Until it is over; each change within `alone()`."""
        while not self.over.wait(self.chance.uniform(*every)):
            kind, agency = self.chance.choice(
                [("agreement", PSYCHOLOGY), ("agreement", LOCAL_AUTHORITY), ("client", PSYCHOLOGY), ("client", CUSTODY)]
            )
            hold = self.chance.uniform(0.5, 3.0)
            try:
                with alone():
                    self.change(kind, agency, hold)
            except (RefusedError, TimeoutError) as error:
                if not self.over.is_set():
                    self.record.refused[f"{kind}: {error}"] += 1

    def change(self, kind: str, agency: str, hold: float) -> None:
        """Closes, stays so for `hold` seconds, opens again, and waits until that has reached every child."""
        before = [one.opened(agency) for one in self.children]
        told, opens = self._end_agreement(agency) if kind == "agreement" else self._block(agency)
        try:
            self._enforced(kind, agency, told)
            self.over.wait(hold)
        finally:
            self.record.widening("")
            opens()
        while [one.opened(agency) for one in self.children] != before and not self.over.wait(0.1):
            pass

    def close(self) -> None:
        """Ends its connections."""
        self._yot.close()

    def _end_agreement(self, agency: str) -> tuple[consent.Enforcement, Callable[[], None]]:
        listed = self._ask(OFFICER, self._yot.consent.ListAgreements, consent.ListAgreementsRequest()).agreements
        known = next(one for one in listed if one.agreement.recipient == agency)
        request = consent.EndAgreementRequest(
            agreement_id=known.ref.record_id, expected_version=known.ref.version, reason="An invented reason"
        )
        answer = self._ask(OFFICER, self._yot.consent.EndAgreement, request)
        return answer.enforcement, lambda: self._agree(agency)

    def _agree(self, agency: str) -> None:
        region = self.ground.stack.plan.load_region()
        wanted = to_wire(next(one for one in region.agreements if one.recipient == agency))
        proposal = consent.ProposeAgreementRequest(agreement=wanted)
        ref = self._ask(ADMINISTRATOR, self._yot.consent.ProposeAgreement, proposal).ref
        approval = consent.ApproveAgreementRequest(agreement_id=ref.record_id, expected_version=ref.version)
        self._ask(OFFICER, self._yot.consent.ApproveAgreement, approval)

    def _block(self, client: str) -> tuple[consent.Enforcement, Callable[[], None]]:
        request = consent.BlockClientRequest(client_id=client, blocked=True, reason="An invented reason")
        answer = self._ask(ADMINISTRATOR, self._yot.consent.BlockClient, request)
        opening = consent.BlockClientRequest(client_id=client, blocked=False, reason="An invented reason")
        return answer.enforcement, lambda: self._ask(ADMINISTRATOR, self._yot.consent.BlockClient, opening) and None

    def _enforced(self, kind: str, agency: str, told: consent.Enforcement) -> None:
        request = consent.GetEnforcementRequest(narrowing_id=told.narrowing_id)
        while told.state != ENFORCED:
            if self.over.wait(0.1):
                raise TimeoutError("not enforced before the end")
            told = self._ask(OFFICER, self._yot.consent.GetEnforcement, request).enforcement
        self.record.narrowed(Closed(kind, agency, "", boot(), Opened(agency)))
