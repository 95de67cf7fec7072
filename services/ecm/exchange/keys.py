"""The exchange's secret keys: 32 bytes each, in hexadecimal files; one purpose, one key."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from ecm.exchange.settings import ExchangeSettings

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class ExchangeKeys:
    """Derived keys. `fingerprint` hides ids in the audit, `signing` is the seed of the checkpoints' Ed25519 key."""

    fingerprint: bytes
    signing: bytes
    cursor: bytes
    pseudonym: bytes


def load_keys(settings: ExchangeSettings) -> ExchangeKeys:
    """The keys of the files that the settings name; ValueError says which is wrong."""
    audit = read_key(settings.audit_key_file, "ECM_AUDIT_KEY_FILE")
    return ExchangeKeys(
        fingerprint=derive(audit, "audit fingerprint"),
        signing=derive(audit, "audit checkpoint"),
        cursor=read_key(settings.cursor_key_file, "ECM_CURSOR_KEY_FILE"),
        pseudonym=read_key(settings.pseudonym_key_file, "ECM_PSEUDONYM_KEY_FILE"),
    )


def read_key(path: Path, setting: str) -> bytes:
    """The 32 bytes of the file; ValueError names the setting, never the content."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ValueError(f"{setting}: {path} doesn't hold a key in hexadecimal ({type(error).__name__}).") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"{setting}: {path} holds {len(key)} bytes; a key has {KEY_BYTES}.")
    return key


def derive(key: bytes, purpose: str) -> bytes:
    """Another key for one purpose."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()
