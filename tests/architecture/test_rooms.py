"""Every domain service is laid out alike: who knows one finds their way in all."""

from pathlib import Path

import pytest

from architecture.source import DOMAIN_SERVICES, OWN

ROOMS = ("app", "settings", "policy", "model", "commands", "store", "tables", "servicer", "consumer", "migrations")
FOLDERS = {"model", "migrations"}


def lacking(service: Path) -> list[str]:
    """Rooms that a service hasn't: a module or a package, `model` and `migrations` a package."""
    return [room for room in ROOMS if not _is_there(service, room)]


def _is_there(service: Path, room: str) -> bool:
    package = (service / room / "__init__.py").is_file()
    return package or (room not in FOLDERS and (service / f"{room}.py").is_file())


@pytest.mark.parametrize("service", DOMAIN_SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    assert lacking(OWN[0] / service) == []
    assert any((OWN[0] / service / "migrations" / "versions").glob("0001_*.py"))


def test_a_missing_room_is_seen(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / f"{room}.py").touch()
    assert lacking(tmp_path) == ["model", "migrations"]
