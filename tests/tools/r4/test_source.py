"""The R4 package is the very file that was read, or it is refused."""

import shutil

import pytest

from tests.servers.needs import need
from tools.r4 import source


def test_it_holds_the_types():
    need(source.missing_npm())
    resources = source.read_bundle(source.fetch(), "Bundle-types.json")
    assert {"Element", "Quantity", "date"} <= {each["type"] for each in resources}


def test_another_file_under_its_name_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(source, "CACHE", tmp_path)
    source.archive_path().write_bytes(b"something else")
    with pytest.raises(RuntimeError, match="has the SHA-256"):
        source.fetch()


def test_without_npm_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(source, "CACHE", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get install -y npm" in (source.missing_npm() or "")
