"""What whoever asks the issuer for a token is told where it gives none."""

from pathlib import Path

import httpx
import pytest

from ecm.admin import credentials
from ecm.admin.errors import OperatorError
from ecm.admin.paths import SecretPaths
from ecm.admin.tokens import TokenDesk
from ecm.local.paths import default_region
from ecm.local.plan import Plan

ANSWERS = {
    "refused": (httpx.Response(401, json={"error": "invalid_client"}), "refused: invalid_client"),
    "a proxy's page": (httpx.Response(502, text="<html>Bad gateway</html>"), "answered HTTP 502, and neither"),
    "an empty answer": (httpx.Response(200), "answered HTTP 200, and neither"),
    "another's JSON": (httpx.Response(200, json=["hello"]), "answered HTTP 200, and neither"),
    "another's error": (httpx.Response(500, json={"message": "oops"}), "answered HTTP 500, and neither"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_no_token_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str) -> None:
    answer, said = ANSWERS[case]
    region = default_region()
    assert region is not None
    paths, plan = SecretPaths(tmp_path / "secrets"), Plan(region=region, ports={"issuer": 1})
    credentials.ensure(paths, ["nhs-psychology"])
    monkeypatch.setattr(httpx, "post", lambda *_, **__: answer)
    with pytest.raises(OperatorError, match=said):
        TokenDesk(paths, plan).client("nhs-psychology")
