"""Kafka's jars are used only where their hash is the pinned one."""

import hashlib
from pathlib import Path

import pytest

from ecm.admin.errors import OperatorError
from ecm.local import jars
from ecm.local.jars import KAFKA_VERSION, Pin

GOOD = b"a jar"
PIN = Pin(hashlib.sha256(GOOD).hexdigest(), "org.example", "thing", "1.0")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jars, "pins", lambda: [PIN])
    return tmp_path / "kafka" / KAFKA_VERSION


def downloads(monkeypatch: pytest.MonkeyPatch, *contents: bytes) -> list[Pin]:
    """Each download yields the next of these contents."""
    asked: list[Pin] = []

    def download(pin: Pin, repository: Path) -> Path:
        repository.mkdir(parents=True, exist_ok=True)
        target = repository / pin.file_name
        target.write_bytes(contents[len(asked)])
        asked.append(pin)
        return target

    monkeypatch.setattr(jars, "_download", download)
    return asked


def test_every_pin_is_a_sha256_and_kafka_is_among_them() -> None:
    listed = jars.pins()
    assert all(len(pin.sha256) == 64 for pin in listed)
    assert any((pin.artifact, pin.version) == ("kafka_2.13", KAFKA_VERSION) for pin in listed)
    assert len({pin.file_name for pin in listed}) == len(listed)


def test_what_is_there_and_right_is_not_fetched(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = downloads(monkeypatch)
    folder.mkdir(parents=True)
    (folder / PIN.file_name).write_bytes(GOOD)
    assert jars.ensure(tmp_path, print) == [folder / PIN.file_name]
    assert asked == []


def test_a_truncated_jar_is_fetched_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads(monkeypatch, b"a j", GOOD)
    folder.mkdir(parents=True)
    (folder / PIN.file_name).write_bytes(b"a")
    said: list[str] = []
    (jar,) = jars.ensure(tmp_path, said.append)
    assert jar.read_bytes() == GOOD
    assert said[-1].endswith("1 of 1")


def test_a_wrong_hash_is_never_used(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads(monkeypatch, b"evil", b"evil")
    with pytest.raises(OperatorError, match="another SHA-256"):
        jars.ensure(tmp_path, print)
    assert not (folder / PIN.file_name).exists()
