"""A request of a known client, and what its handlers work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from ecm.exchange.api.beats import Beats
from ecm.exchange.api.inquiry import names_several
from ecm.exchange.api.limits import Limits, Seat
from ecm.exchange.audit.fingerprints import Fingerprints
from ecm.exchange.disclosure.asks import Answer, Ask, Inquiry, Page, Released
from ecm.exchange.disclosure.caller import PartnerCaller
from ecm.exchange.release import Release
from ecm.exchange.search.compile import compile_again
from ecm.exchange.search.cursor import Cursors
from ecm.exchange.settings import ExchangeSettings
from ecm.exchange.streams.dataref import Pointed
from ecm.kit.auth.verifier import TokenVerifier
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import Ids
from ecm.kit.region import Region

FindDataref = Callable[[str], Awaitable[Pointed | None]]
"""Token → the resource that some client's event points at."""


@dataclass(frozen=True, slots=True)
class Api:
    """What every interaction needs. `writes`: (`create` or `update`, type) → handler."""

    base: str
    settings: ExchangeSettings
    region: Region
    verifier: TokenVerifier
    release: Release
    fingerprints: Fingerprints
    cursors: Cursors
    ids: Ids
    find_dataref: FindDataref
    beats: Beats
    limits: Limits = field(default_factory=Limits.none)
    writes: Mapping[tuple[str, str], "Handler"] = field(default_factory=dict)


@dataclass(slots=True)
class Incoming:
    """One authenticated request. `path` is below the FHIR base, `pairs` the query (or the form) in order."""

    api: Api
    request: Request
    caller: PartnerCaller
    path: tuple[str, ...]
    pairs: list[tuple[str, str]]
    inquiry: Inquiry
    seat: Seat
    # Whether the audit has this request already.
    audited: bool = False
    # Whether something that was asked for may not have been found: then the answer leaves at a beat.
    missed: bool = False

    @property
    def strict(self) -> bool:
        """`Prefer: handling=strict`: https://hl7.org/fhir/R4/search.html#errors"""
        return "handling=strict" in self.request.headers.get("prefer", "").replace(" ", "")

    def require(self, resource_type: str, permission: str) -> None:
        """Raises SCOPE_INSUFFICIENT unless the scopes cover a letter of `cruds` on that type."""
        if not self.caller.may(resource_type, permission):
            raise DomainError(
                Reason.SCOPE_INSUFFICIENT, f"The token's scopes don't cover system/{resource_type}.{permission}."
            )

    async def read(self, resource_type: str, resource_id: UUID) -> Answer:
        """The current resource, as far as it may leave; in the audit by now. Raises what `Release.release` raises."""
        answer = await self._released(Ask(self.inquiry, "read", resource_type, resource_id))
        self.missed = not answer.resources
        return answer

    async def find(self, page: Page) -> Answer:
        """What may leave of a page; in the audit by now, too."""
        answer = await self._released(Ask.search(self.inquiry, page))
        self.seat.charge(len(answer.resources))
        self.missed = not answer.resources or names_several(self.path, self.pairs)
        return answer

    def asks_for(self, resource_id: UUID) -> None:
        """Names an id in the audit that the address itself doesn't show."""
        asked = (*self.inquiry.asked, self.api.fingerprints.of_id(resource_id))
        self.inquiry = replace(self.inquiry, asked=asked)

    async def still_open(self, resources: Sequence[Released]) -> bool:
        """Whether all of these may leave still; audited like any other ask."""
        answer = await self.find(compile_again(resources))
        return answer.total == len({one.name for one in resources})

    async def note(self, outcome: str) -> None:
        """Writes this request into the audit without looking for anything."""
        await self._released(Ask(self.inquiry, "none", outcome=outcome))

    async def _released(self, ask: Ask) -> Answer:
        try:
            answer = await self.api.release.one(self.caller, ask)
        except DomainError as error:
            self.audited = self.audited or error.reason is Reason.CLIENT_BLOCKED
            raise
        self.audited = True
        return answer


Handler = Callable[[Incoming], Awaitable[Response]]
