"""Encryption of what the database keeps: AES-256-GCM, bound to the row it stands in."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivfhir.errors import SettingsError
from ivfhir.fhir.json import dumps, loads

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MAGIC, _ID_BYTES = b"ivk1", 4
_OWNER_ONLY = 0o600


class Sealer:
    """Seals JSON objects so that only these keys, and only the same row, open them again.

    What is sealed names its key: `ivk1`, 4 bytes of the key's id, 12 of a nonce, then AES-256-GCM.
    What release 0.1.0 sealed has the nonce first and names none; every key is tried for it.

    Args:
        key: 32 bytes; it seals.
        old_keys: keys of before; they only open.
        again: tells the keys anew, newest first; asked each time, so that a running process follows
            a rotation.
    """

    def __init__(
        self,
        key: bytes,
        *old_keys: bytes,
        again: Callable[[], tuple[bytes, ...]] | None = None,
    ) -> None:
        """Derive one key for sealing and one for fingerprints of each."""
        self._again = again or (lambda: (key, *old_keys))
        self._ring = _Ring((key, *old_keys))
        self._fingerprint_key = fingerprint_key(key)

    def seal(self, value: Mapping[str, Any], row: str) -> bytes:
        """Return the JSON object encrypted; `row` names the row it may be opened for."""
        nonce, ring = os.urandom(_NONCE_BYTES), self._current()
        sealed = ring.aeads[0].encrypt(nonce, dumps(dict(value)).encode(), row.encode())
        return ring.heads[0] + nonce + sealed

    def open(self, sealed: bytes, row: str) -> dict[str, Any]:
        """Return the object sealed for that row; decimals come back as they went in, digits kept.

        Raises:
            SettingsError: another key sealed it, it belongs to another row, or it was changed.
        """
        for aead, start in self._current().candidates(sealed):
            with suppress(InvalidTag):
                nonce, content = (
                    sealed[start : start + _NONCE_BYTES],
                    sealed[start + _NONCE_BYTES :],
                )
                if len(nonce) < _NONCE_BYTES:  # What is cut short opens with no key.
                    continue
                text = aead.decrypt(nonce, content, row.encode())
                value: Any = loads(text.decode(), place="what the database holds")
                found: dict[str, Any] = value
                return found
        raise SettingsError(
            "What the database holds was encrypted with another key. Put the old key back (beside "
            "a newer one, on a line of its own), or start with an empty database."
        )

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether the newest key sealed it."""
        return sealed.startswith(self._current().heads[0])

    @property
    def heads(self) -> tuple[bytes, ...]:
        """What each key puts before what it seals, newest first; it tells nothing of the key."""
        return tuple(self._current().heads)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys, newest first."""
        return self._current().keys

    def adopt_fingerprint_key(self, key: bytes) -> None:
        """Make fingerprints with a key that outlives those that seal."""
        self._fingerprint_key = key

    def fingerprint(self, *parts: str) -> str:
        """Return the same text for the same parts; without the key it tells nothing of them."""
        return keyed_hash(self._fingerprint_key, *parts)

    def _current(self) -> "_Ring":
        keys = self._again()
        if keys != self._ring.keys:
            self._ring = _Ring(keys)
        return self._ring


class _Ring:
    """Keys, newest first, with what each puts before what it seals."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self.keys = keys
        self.aeads = [AESGCM(hashlib.sha256(b"seal:" + key).digest()) for key in keys]
        self.heads = [_MAGIC + hashlib.sha256(b"id:" + key).digest()[:_ID_BYTES] for key in keys]

    def candidates(self, sealed: bytes) -> Iterator[tuple[AESGCM, int]]:
        """Give the keys that may have sealed it, and where its nonce begins."""
        for aead, head in zip(self.aeads, self.heads, strict=True):
            if sealed.startswith(head):
                yield aead, len(head)
        for aead in self.aeads:
            yield aead, 0


def fingerprint_key(key: bytes) -> bytes:
    """Return the key of fingerprints that release 0.1.0 derived from a key."""
    return hashlib.sha256(b"fingerprint:" + key).digest()


def keyed_hash(key: bytes, *parts: str) -> str:
    """Return HMAC-SHA-256 over parts that cannot run into each other, as hex."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def make_sealer(key: str | None, key_file: Path) -> Sealer:
    """Return the sealer of the settings; it follows its key file while it runs.

    Raises:
        SettingsError: as for `load_keys`.
    """
    keys = load_keys(key, key_file)
    return Sealer(*keys, again=None if key is not None else KeyFile(key_file, keys))


class KeyFile:
    """The keys of a file, read again when it was written; while it cannot be read, as before."""

    def __init__(self, path: Path, keys: tuple[bytes, ...]) -> None:
        """Keep what was read at the start."""
        self._path, self._keys = path, keys
        self._seen: tuple[int, int, int] | None = None

    def __call__(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        try:
            now = self._path.stat()
            seen = (now.st_mtime_ns, now.st_size, now.st_ino)
            if seen != self._seen:
                self._keys, self._seen = load_keys(None, self._path), seen
        except (OSError, SettingsError):
            pass  # It is being replaced, or went away: the keys in hand go on.
        return self._keys


def add_key(path: Path) -> None:
    """Put a new key before those of the file, at once or not at all.

    Raises:
        SettingsError: the file cannot be read or written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        old = path.read_text(encoding="ascii")
        _write_for_owner(draft, _new_key() + old.encode())
        shutil.copystat(path, draft)
        draft.chmod(_OWNER_ONLY)
        os.utime(draft)
        owner = path.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SettingsError(f"key_file: {path} cannot be written: {error.strerror}.") from error


def load_keys(key: str | None, key_file: Path) -> tuple[bytes, ...]:
    """Return the keys of the settings, newest first: as text, or in a file, made when absent.

    Several stand on lines of their own, or with blanks between them.

    Raises:
        SettingsError: one is not 32 bytes in base64url, or the file cannot be read or made.
    """
    if key is None:
        try:
            key = _read_or_make(key_file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingsError(
                f"key_file: {key_file} cannot be read or made: {reason}."
            ) from error
    keys = tuple(dict.fromkeys(_key(each) for each in key.split()))
    if not keys:
        raise SettingsError("key must be 32 bytes in base64url.")
    return keys


def _key(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text.encode())
    except (binascii.Error, ValueError) as error:
        raise SettingsError("key must be 32 bytes in base64url.") from error
    if len(raw) != _KEY_BYTES:
        raise SettingsError("key must be 32 bytes in base64url.")
    return raw


def _new_key() -> bytes:
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)) + b"\n"


def _write_for_owner(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        path.chmod(_OWNER_ONLY)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_or_make(path: Path) -> str:
    """Return the file's text; when absent, make it, readable by its owner only."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        _write_for_owner(draft, _new_key())
        try:
            os.link(draft, path)  # Fails when another worker was first: then its key counts.
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
