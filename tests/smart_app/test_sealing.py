"""Encryption of what the database keeps."""

import base64
import hashlib
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivfhir.errors import SettingsError
from smart_app.sealing import Sealer, add_key, load_keys

SEALER = Sealer(b"k" * 32)


def test_what_is_sealed_opens_again_with_every_digit() -> None:
    value = {"a": Decimal("1.500"), "b": [1, None, True, "ü"], "c": {}}
    opened = SEALER.open(SEALER.seal(value, "row"), "row")
    assert opened == value
    assert str(opened["a"]) == "1.500"


def test_the_same_value_never_looks_the_same() -> None:
    assert SEALER.seal({}, "row") != SEALER.seal({}, "row")


@pytest.mark.parametrize("row", ["other", ""])
def test_a_value_moved_to_another_row_does_not_open(row: str) -> None:
    with pytest.raises(SettingsError, match="another key"):
        SEALER.open(SEALER.seal({}, "row"), row)


def test_another_key_and_changed_bytes_do_not_open() -> None:
    sealed = SEALER.seal({"a": 1}, "row")
    with pytest.raises(SettingsError):
        Sealer(b"x" * 32).open(sealed, "row")
    with pytest.raises(SettingsError):
        SEALER.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "row")
    for length in range(len(sealed)):
        with pytest.raises(SettingsError):
            SEALER.open(sealed[:length], "row")


def test_fingerprints_tell_parts_apart() -> None:
    assert SEALER.fingerprint("a", "bc") == SEALER.fingerprint("a", "bc")
    assert SEALER.fingerprint("a", "bc") != SEALER.fingerprint("ab", "c")
    assert SEALER.fingerprint("a") != Sealer(b"x" * 32).fingerprint("a")


def test_a_missing_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    [first] = load_keys(None, path)
    assert len(first) == 32
    assert load_keys(None, path) == (first,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["key"]


def test_a_given_key_wins_over_the_file(tmp_path: Path) -> None:
    key = base64.urlsafe_b64encode(b"z" * 32).decode()
    assert load_keys(key, tmp_path / "key") == (b"z" * 32,)
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("key", ["", "short", "%%%", "ä", "QUJD"])
def test_a_key_of_another_length_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="32 bytes"):
        load_keys(key, tmp_path / "key")


def test_a_key_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="key_file"):
        load_keys(None, tmp_path / "absent" / "key")


def test_what_0_1_0_sealed_opens_with_any_of_the_keys() -> None:
    nonce = b"n" * 12
    aead = AESGCM(hashlib.sha256(b"seal:" + b"k" * 32).digest())
    sealed = nonce + aead.encrypt(nonce, b'{"a": 1}', b"row")
    assert Sealer(b"x" * 32, b"k" * 32).open(sealed, "row") == {"a": 1}


def test_the_newest_key_seals_and_older_ones_open() -> None:
    both = Sealer(b"x" * 32, b"k" * 32)
    old = SEALER.seal({"a": 1}, "row")
    assert both.open(old, "row") == {"a": 1}
    assert not both.is_newest(old)
    new = both.seal({"a": 2}, "row")
    assert both.is_newest(new)
    assert Sealer(b"x" * 32).open(new, "row") == {"a": 2}
    with pytest.raises(SettingsError):
        SEALER.open(new, "row")


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
def test_key_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        path = tmp_path / "key"
        [first] = load_keys(None, path)
        add_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(None, path)[1:] == (first,)
    assert os.listdir(tmp_path) == ["key"]
