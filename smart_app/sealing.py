"""Encryption of what the database keeps: AES-256-GCM, bound to the row it stands in."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivfhir.errors import SettingsError
from ivfhir.fhir.json import dumps, loads

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealer:
    """Seals JSON objects so that only this key, and only the same row, opens them again.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        """Derive one key for sealing and one for fingerprints."""
        self._aead = AESGCM(hashlib.sha256(b"seal:" + key).digest())
        self._fingerprint_key = hashlib.sha256(b"fingerprint:" + key).digest()

    def seal(self, value: Mapping[str, Any], row: str) -> bytes:
        """Return the JSON object encrypted; `row` names the row it may be opened for."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, dumps(dict(value)).encode(), row.encode())

    def open(self, sealed: bytes, row: str) -> dict[str, Any]:
        """Return the object sealed for that row; decimals come back as they went in, digits kept.

        Raises:
            SettingsError: another key sealed it, it belongs to another row, or it was changed.
        """
        try:
            text = self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.encode())
        except InvalidTag as error:
            raise SettingsError(
                "What the database holds was encrypted with another key. Put the old key back, or "
                "start with an empty database."
            ) from error
        value: Any = loads(text.decode(), place="what the database holds")
        found: dict[str, Any] = value
        return found

    def fingerprint(self, *parts: str) -> str:
        """Return the same text for the same parts; without the key it tells nothing of them."""
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(self._fingerprint_key, message, hashlib.sha256).hexdigest()


def load_key(key: str | None, key_file: Path) -> bytes:
    """Return the key of the settings: given as text, or in a file that is made when absent.

    Raises:
        SettingsError: not 32 bytes in base64url, or the file cannot be read or made.
    """
    if key is None:
        try:
            key = _read_or_make(key_file)
        except OSError as error:
            raise SettingsError(
                f"key_file: {key_file} cannot be read or made: {error.strerror}."
            ) from error
    try:
        raw = base64.urlsafe_b64decode(key.strip().encode())
    except (binascii.Error, ValueError) as error:
        raise SettingsError("key must be 32 bytes in base64url.") from error
    if len(raw) != _KEY_BYTES:
        raise SettingsError("key must be 32 bytes in base64url.")
    return raw


def _read_or_make(path: Path) -> str:
    """Return the file's text; when absent, make it, readable by its owner only."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)) + b"\n")
        try:
            os.link(draft, path)  # Fails when another worker was first: then its key counts.
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
