"""The settings table of docs/architecture.md says what the settings classes read: no more, no less."""

import re
from importlib import import_module

import pytest

from architecture.source import REPOSITORY, SERVICES
from ecm.kit.settings import ServiceSettings

TABLE = "## Settings"
NAME = re.compile(r"`(ECM_[A-Z0-9_]+)`")


def documented(text: str) -> dict[str, set[str]]:
    """Variables by whose they are: "" for every service's."""
    found: dict[str, set[str]] = {}
    for line in text.partition(TABLE)[2].splitlines():
        _, first, *says = line.split("|") if line.startswith("|") else ("", "")
        if "`ECM_" in first:
            assert any(cell.strip() for cell in says), f"says nothing: {line}"
            owners = first.partition(":")[0] if ":" in first else ""
            for owner in owners.split(","):
                found.setdefault(owner.strip(), set()).update(NAME.findall(first))
    return found


def read_by(settings: type[ServiceSettings]) -> set[str]:
    """Variables that a settings class reads."""
    return {f"ECM_{name.upper()}" for name in settings.model_fields}


def settings_of(service: str) -> type[ServiceSettings]:
    """The class of one service."""
    made: type[ServiceSettings] = getattr(import_module(f"ecm.{service}.settings"), f"{service.title()}Settings")
    return made


def test_every_services_settings() -> None:
    assert documented((REPOSITORY / "docs" / "architecture.md").read_text())[""] == read_by(ServiceSettings)


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_own_settings(service: str) -> None:
    own = read_by(settings_of(service)) - read_by(ServiceSettings)
    assert documented((REPOSITORY / "docs" / "architecture.md").read_text()).get(service, set()) == own


def test_the_table_is_read_as_it_is_written() -> None:
    rows = [
        "| variable | example | meaning |",
        "|---|---|---|",
        "| `ECM_A`, `ECM_B` | `1` | |",
        "| x, y: `ECM_C` | | C |",
    ]
    text = "\n".join([TABLE, *rows, "", "Prose with `ECM_D` in it."])
    assert documented(text) == {"": {"ECM_A", "ECM_B"}, "x": {"ECM_C"}, "y": {"ECM_C"}}
