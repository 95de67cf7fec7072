"""Partners that read, by every route, from whichever worker, whatever is open to them."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx
from kafka.errors import KafkaError

from barrier.ground import Ground
from barrier.moments import boot
from barrier.record import Record, Seen, Version
from ecm.admin.errors import OperatorError
from ecm.demo.partner import FHIR_JSON, Partner

ROUTES = ("read", "vread", "search", "identifier", "post", "page", "everything", "event")
LOOK_SECONDS = 3.0
REST_SECONDS = 0.1
SEARCHED = ("Observation", "Task", "DocumentReference", "CarePlan", "QuestionnaireResponse", "Appointment")
_KNOWN = """SELECT DISTINCT r.type, r.id::text, r.version_id, p.id::text AS patient
  FROM resource_version r JOIN resource p ON p.child_id = r.child_id AND p.type = 'Patient'
 WHERE NOT r.deleted ORDER BY 1, 2, 3"""


@dataclass(slots=True)
class Catalogue:
    """Addresses that readers try: of resources and versions of every view, numbers, and what topics point at."""

    ground: Ground
    numbers: list[str]
    resources: list[Version] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    datarefs: dict[str, list[str]] = field(default_factory=dict)

    def look(self) -> None:
        """As the exchange's database has it now."""
        rows = self.ground.database("exchange").fetch(_KNOWN)
        self.resources = [(row["type"], row["id"], row["version_id"]) for row in rows]
        self.patients = sorted({row["patient"] for row in rows})

    def run(self, over: Event) -> None:
        """Looks again and again."""
        while not over.wait(LOOK_SECONDS):
            self.look()


class Listener:
    """Reads a client's topic again and again: the events' addresses are what readers fetch."""

    def __init__(self, ground: Ground, client: str, catalogue: Catalogue, record: Record) -> None:
        self._partner = Partner(ground.stack, client)
        self._catalogue = catalogue
        self._record = record

    def run(self, over: Event) -> None:
        """Until it is over."""
        while not over.wait(LOOK_SECONDS):
            try:
                self.look()
            except (KafkaError, OperatorError, OSError):
                continue

    def look(self) -> None:
        """All that the topic has now."""
        found = self._partner.events(seconds=0.5)
        self._record.events = max(self._record.events, len(found))
        self._catalogue.datarefs[self._partner.client] = sorted({event.dataref for event in found if event.dataref})


class Reader:
    """One reader of one client."""

    def __init__(
        self,
        ground: Ground,
        client: str,
        catalogue: Catalogue,
        record: Record,
        *,
        chance: random.Random,
        routes: Sequence[str],
    ) -> None:
        self._ground = ground
        self._partner = Partner(ground.stack, client)
        self._catalogue = catalogue
        self._record = record
        self._chance = chance
        self._routes = routes
        self._pages: list[str] = []
        self._http = httpx.Client(timeout=10, trust_env=False)

    def run(self, over: Event) -> None:
        """One request after the other until it is over."""
        while not over.is_set():
            route, worker = self._chance.choice(self._routes), self._chance.choice(sorted(self._ground.workers))
            try:
                self.ask(route, worker)
            except httpx.HTTPError:
                time.sleep(REST_SECONDS)
            except (OperatorError, OSError):
                # The issuer or its part is away.
                time.sleep(REST_SECONDS)
        self._http.close()

    def ask(self, route: str, worker: str) -> Seen | None:
        """One request by a route at a worker; None where there is nothing to ask for yet."""
        asked = self._address(route)
        if asked is None:
            return None
        method, path, form = asked
        headers = {"authorization": f"Bearer {self._partner.token()}", "accept": FHIR_JSON}
        url = f"{self._ground.workers[worker]}/fhir/{path}"
        sent = boot()
        answer = self._http.request(method, url, headers=headers, data=form)
        found = _versions(answer)
        seen = Seen(route, self._partner.client, worker, sent, boot(), answer.status_code, found)
        self._record.seen.append(seen)
        self._turn_page(answer)
        if answer.status_code in (401, 429, 503):
            time.sleep(REST_SECONDS)
        return seen

    def _address(self, route: str) -> tuple[str, str, dict[str, str] | None] | None:
        known, chance = self._catalogue, self._chance
        if not known.resources:
            return None
        kind, resource_id, version = chance.choice(known.resources)
        patient = chance.choice(known.patients)
        searched = chance.choice(SEARCHED)
        ways: dict[str, Callable[[], tuple[str, str, dict[str, str] | None] | None]] = {
            "read": lambda: ("GET", f"{kind}/{resource_id}", None),
            "vread": lambda: ("GET", f"{kind}/{resource_id}/_history/{version}", None),
            "search": lambda: ("GET", f"{searched}?patient={patient}&_count=3", None),
            "identifier": lambda: ("GET", f"Patient?identifier={chance.choice(known.numbers)}", None),
            "post": lambda: ("POST", f"{searched}/_search", {"patient": patient}),
            "page": self._page,
            "everything": lambda: ("GET", f"Patient/{patient}/$everything", None),
            "event": self._event,
        }
        return ways[route]()

    def _page(self) -> tuple[str, str, dict[str, str] | None] | None:
        return ("GET", self._chance.choice(self._pages), None) if self._pages else None

    def _event(self) -> tuple[str, str, dict[str, str] | None] | None:
        known = self._catalogue.datarefs.get(self._partner.client)
        return ("GET", _below(self._chance.choice(known)), None) if known else None

    def _turn_page(self, answer: httpx.Response) -> None:
        """A next page's address is kept, to be asked for now or later."""
        links = _links(answer)
        self._pages = [*self._pages, *links][-20:]


def _body(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        return {}
    found: dict[str, Any] = answer.json()
    return found


def _versions(answer: httpx.Response) -> tuple[Version, ...]:
    body = _body(answer)
    if body.get("resourceType") == "Bundle" and body.get("type") == "searchset":
        shown = [entry["resource"] for entry in body.get("entry", []) if entry["search"]["mode"] != "outcome"]
    else:
        shown = [body] if "meta" in body else []
    return tuple((one["resourceType"], one["id"], one["meta"]["versionId"]) for one in shown)


def _links(answer: httpx.Response) -> list[str]:
    body = _body(answer)
    return [
        _below(link["url"])
        for link in body.get("link", [])
        if isinstance(link, dict) and link.get("relation") == "next"
    ]


def _below(url: str) -> str:
    """What stands below the FHIR base, wherever that is served."""
    parts = urlsplit(url)
    return parts.path.removeprefix("/fhir/") + (f"?{parts.query}" if parts.query else "")
