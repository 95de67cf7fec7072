"""Brings a realm to what is wanted: plan first, then apply."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from keycloak import KeycloakAdmin, KeycloakConnectionError, KeycloakError, KeycloakOpenIDConnection

from ecm.admin.errors import OperatorError
from ecm.admin.keycloak.actual import Actual, read
from ecm.admin.keycloak.apply import Hand, apply
from ecm.admin.keycloak.difference import Change, plan
from ecm.admin.keycloak.settings import KeycloakSettings
from ecm.admin.keycloak.wanted import Wish, wanted

ASK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Sync:
    """One realm, looked at once: `changes` is the plan; `carry_out` does it."""

    admin: KeycloakAdmin
    wish: Wish
    actual: Actual
    changes: list[Change]

    def carry_out(self, told: Callable[[Change], None] = lambda _: None) -> None:
        """Do every step; `told` hears of each before it is done. Raises `OperatorError` where Keycloak refuses."""
        hand = Hand(self.admin, self.actual, self.wish.password)
        for change in self.changes:
            told(change)
            with _explained(f"{change.action} {change.kind.value} {change.name}"):
                apply(hand, change)


def look(server: str, settings: KeycloakSettings, wish: Wish) -> Sync:
    """Compare a realm with what is wanted; changes nothing. Raises `OperatorError`."""
    goal = wanted(wish)
    with _explained("the realm can't be read"):
        admin = connect(server, settings, wish.region.slug)
        actual = read(admin, wish.region.slug, goal)
        return Sync(admin, wish, actual, plan(goal, actual.items))


def connect(server: str, settings: KeycloakSettings, realm: str) -> KeycloakAdmin:
    """An administrator at work on a realm. Raises `OperatorError`, `KeycloakError`."""
    _reach_directly(server)
    known = {"server_url": server, "realm_name": realm, "user_realm_name": settings.admin_realm}
    who = (
        {"client_id": settings.admin_client_id, "client_secret_key": settings.client_secret()}
        if settings.admin_client_id
        else {"username": settings.admin_username, "password": settings.password()}
    )
    arguments: dict[str, Any] = {**known, **who, "timeout": ASK_SECONDS}
    return KeycloakAdmin(connection=KeycloakOpenIDConnection(**arguments))


def _reach_directly(server: str) -> None:
    """Keycloak on this machine isn't asked through a proxy."""
    host = urlsplit(server).hostname or ""
    if host in ("127.0.0.1", "localhost", "::1"):
        known = os.environ.get("NO_PROXY", os.environ.get("no_proxy", ""))
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, [known, host]))


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Keycloak's refusals and silences as `OperatorError`."""
    try:
        yield
    except KeycloakConnectionError as error:
        raise OperatorError(f"Keycloak doesn't answer: {error}", "Look at its URL, and whether it runs.") from None
    except KeycloakError as error:
        said = error.response_body or error.error_message
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise OperatorError(f"Keycloak: {what}: {text}", "Correct it, and run the same again.") from None
