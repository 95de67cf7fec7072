"""The case that a command is about, and who may act on it."""

from ecm.api.common.v1.actor_pb2 import AssertedPractitioner
from ecm.api.consent.v1.consent_service_pb2 import GATE_DRAFT
from ecm.api.formulation.v1.formulation_records_pb2 import Invitation
from ecm.formulation.model.authors import check_leads, clinical_author
from ecm.formulation.model.cases import KnownCase, check_open
from ecm.formulation.model.values import not_found
from ecm.formulation.peers import Peers
from ecm.formulation.store import find_case, keep_case, of_case
from ecm.kit.db.uow import Tx
from ecm.kit.ids import parse_uuid


async def open_case(peers: Peers, tx: Tx, case_id: str, *, fresh: bool = False) -> KnownCase:
    """The case, which hasn't ended; `fresh` asks `referrals` even where it is known.

    NOT_FOUND, for another YOT's too; ILLEGAL_TRANSITION where it has ended; PEER_UNREACHABLE.
    """
    case = await _case(peers, tx, case_id, fresh=fresh)
    check_open(case)
    return case


async def _case(peers: Peers, tx: Tx, case_id: str, *, fresh: bool = False) -> KnownCase:
    asked = parse_uuid(case_id, "case_id")
    known = await find_case(tx, asked)
    if known is None or known.ended or fresh:
        # An ended one may be reopened since.
        newer = await peers.case(asked, after=known.version if known else 0)
        known = newer or known
        if newer is not None:
            await keep_case(tx, newer)
    if known is None or not tx.scope.admits(known.yot):
        raise not_found("case")
    return known


async def leading(peers: Peers, tx: Tx, case_id: str, what: str = "case") -> tuple[KnownCase, AssertedPractitioner]:
    """The open case, and the psychologist who writes in it: of the leading service, registered, with consent given.

    NOT_FOUND of the `what` that was named for another psychology service: it can't tell that there is one.
    AUTHOR_REQUIRED; ILLEGAL_TRANSITION where the case has ended; CONSENT_REQUIRED, CONSENT_UNREACHABLE.
    """
    case = await _case(peers, tx, case_id)
    invitations = await of_case(tx, case.case_id, Invitation)
    check_leads(tx.principal.agency, [invitation.content for invitation in invitations], tx.region, what)
    check_open(case)
    author = clinical_author(tx.principal, tx.region)
    await peers.require(case.case_id, GATE_DRAFT)
    return case, author
