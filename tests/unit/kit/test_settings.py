"""Settings come from the environment and never show their secrets."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from ecm.kit.bus.topics import client_topic, dead_letter_topic, service_topic
from ecm.kit.errors import DomainError, Reason
from ecm.kit.ids import RandomIds, parse_uuid
from ecm.kit.settings import ServiceSettings

ENVIRONMENT = {
    "ECM_REGION_FILE": "region.yaml",
    "ECM_DATABASE_URL": "postgresql://app:hunter2@127.0.0.1/ecm_referrals",
    "ECM_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "ECM_KAFKA_USERNAME": "ecm-referrals",
    "ECM_KAFKA_PASSWORD": "hunter3",
    "ECM_ISSUER": "http://127.0.0.1:9000",
    "ECM_JWKS_URL": "http://127.0.0.1:9000/jwks.json",
    "ECM_TOKEN_URL": "http://127.0.0.1:9000/token",
    "ECM_CONSENT_ADDRESS": "127.0.0.1:50052",
}


class Referrals(ServiceSettings):
    service: ClassVar[str] = "referrals"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Referrals:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Referrals()


def test_the_environment_is_read(settings: Referrals) -> None:
    assert settings.client_id == settings.audience == "ecm-referrals"
    assert settings.address_of("consent") == "127.0.0.1:50052"
    assert settings.database_url.get_secret_value().endswith("/ecm_referrals")


def test_secrets_are_not_shown(settings: Referrals) -> None:
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter" not in shown


def test_a_missing_address_names_its_variable(settings: Referrals) -> None:
    with pytest.raises(ValueError, match="ECM_EXCHANGE_ADDRESS isn't set"):
        settings.address_of("exchange")


def test_a_missing_setting_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError, match="kafka_bootstrap"):
        Referrals()


def test_topics() -> None:
    assert service_topic("example", "consent") == "ecm.example.consent.v1"
    assert client_topic("example", "nhs-psychology") == "ecm.example.client.nhs-psychology.v1"
    assert dead_letter_topic("ecm.example.consent.v1", "exchange") == "ecm.example.consent.v1.exchange.dlq"


def test_ids() -> None:
    ids = RandomIds()
    assert ids.uuid().version == 4 and len(ids.token()) == 43 and ids.token() != ids.token()
    with pytest.raises(DomainError) as caught:
        parse_uuid("nobody", "child_id")
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_VALUE, "child_id")


def test_what_the_environment_lacks_is_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ECM_KAFKA_PASSWORD")
    monkeypatch.setenv("ECM_DATABASE_URL", "postgresql://app@postgres:5432/ecm_referrals")
    monkeypatch.setenv("ECM_SECRETS_DIR", str(tmp_path))
    (tmp_path / "ecm_kafka_password").write_text("from-a-file\n")
    (tmp_path / "ecm_database_password").write_text("p@ss/word\n")
    (tmp_path / "ecm_issuer").write_text("http://elsewhere")
    found = Referrals()
    assert found.kafka_password.get_secret_value() == "from-a-file"
    assert found.database_url.get_secret_value() == "postgresql://app:p%40ss%2Fword@postgres:5432/ecm_referrals"
    assert found.issuer == ENVIRONMENT["ECM_ISSUER"]
    assert "p@ss" not in repr(found)
    assert "p%40ss" not in repr(found)


def test_a_password_given_apart_goes_before_the_urls(settings: Referrals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECM_DATABASE_PASSWORD", "hunter4")
    assert Referrals().database_url.get_secret_value() == "postgresql://app:hunter4@127.0.0.1/ecm_referrals"
    assert settings.database_url.get_secret_value() == ENVIRONMENT["ECM_DATABASE_URL"]
