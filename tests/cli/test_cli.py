"""The command line: what it prints, and what it says when something is wrong."""

import json
import logging
import sys
from pathlib import Path

import pytest

from ecm.cli import main
from ecm.local.stack import Stack


def ecm(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run `ecm` with these arguments; its exit status."""
    monkeypatch.setattr(sys, "argv", ["ecm", *arguments])
    # Other suites' services log to this process's standard output; the command line's own process does not.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_right_region_file_is_summed_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    file = repository / "deploy" / "regions" / "example" / "region.yaml"
    assert ecm(monkeypatch, "region", "check", str(file)) == 0
    assert "region example, 5 agencies, 2 YOTs, 3 clients" in capsys.readouterr().out


def test_a_wrong_region_file_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, repository: Path
) -> None:
    right = (repository / "deploy" / "regions" / "example" / "region.yaml").read_text()
    wrong = tmp_path / "region.yaml"
    wrong.write_text(right.replace("slug: example", "slug: Not A Slug"))
    assert ecm(monkeypatch, "region", "check", str(wrong)) == 1
    assert "slug" in capsys.readouterr().err


def test_status_lists_every_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], infrastructure: Stack
) -> None:
    state = str(infrastructure.paths.root)
    assert ecm(monkeypatch, "status", "--json", "--state", state) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["healthy"]
    assert {name: part["address"] for name, part in shown["parts"].items()} == {
        part: infrastructure.addresses[part] for part in ("postgres", "kafka", "issuer")
    }
    assert all(part["memory_bytes"] > 2**20 for part in shown["parts"].values())


def test_token_prints_a_token_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], infrastructure: Stack
) -> None:
    state = str(infrastructure.paths.root)
    for who in (("--client", "nhs-psychology", "--scope", "system/Patient.rs"), ("--person", "case-manager")):
        assert ecm(monkeypatch, "token", *who, "--state", state) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        assert len(printed.out.strip().split(".")) == 3
        assert len(printed.out.split()) == 1


def test_an_empty_topic_prints_nothing_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], infrastructure: Stack
) -> None:
    assert ecm(monkeypatch, "consume", "--client", "custody-northgate", "--state", str(infrastructure.paths.root)) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["status"], "ecm up"),
        (["down"], "ecm up"),
        (["logs"], "ecm up"),
        (["kill", "kafka"], "ecm up"),
        (["token", "--client", "nhs-psychology"], "ecm up"),
        (["token"], "--client"),
        (["region", "apply"], "ecm up"),
        (["region", "check", "nowhere.yaml"], "Correct it"),
    ],
)
def test_every_error_says_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    hint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ecm(monkeypatch, *arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("ecm:")
    assert hint in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("password", "said"),
    [("", "Set ECM_KEYCLOAK_ADMIN_PASSWORD_FILE"), ("a-password", "Look at its URL, and whether it runs")],
)
def test_a_keycloak_that_isnt_there_stops_the_start_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, password: str, said: str
) -> None:
    if password:
        monkeypatch.setenv("ECM_KEYCLOAK_ADMIN_PASSWORD", password)
    state = str(tmp_path / "state")
    assert ecm(monkeypatch, "up", "--state", state, "--fresh-ports", "--keycloak", "http://127.0.0.1:1") == 1
    assert said in capsys.readouterr().err
