"""`ecm ig build`."""

import json
from pathlib import Path

from typer.testing import CliRunner

from ecm.cli.app import build


def test_it_writes_every_definition_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "ValueSet-old.json").write_text("{}")
    made = CliRunner().invoke(build(), ["ig", "build", "--out", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert json.loads((tmp_path / "openapi.json").read_text())["openapi"] == "3.1.0"
    (tmp_path / "openapi.json").unlink()
    names = {path.name for path in tmp_path.iterdir()}
    assert {"ImplementationGuide-ecm-exchange.json", "Questionnaire-ecm-referral-form.json"} <= names
    assert "ValueSet-old.json" not in names
    assert f"{len(names)} definitions" in made.output
    for path in tmp_path.iterdir():
        assert json.loads(path.read_text())["status"] == "active"
