"""The app with a site's overlay: every page tells of it, and a broken one stops the start."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from ivfhir.errors import KnowledgeError, UsageError
from smart_app.app import create_app
from smart_app.config import Settings, load_settings
from tests.smart_app.conftest import APP_URL, new_client

EXAMPLE = Path(__file__).parents[1] / "data" / "overlay"
SAID = "The site overlay Example Hospital 1.2.0 is in use"


def settings_in(folder: Path, overlay: str | None) -> Settings:
    return Settings(
        public_url=APP_URL,
        database_url=f"sqlite:///{folder / 'app.sqlite3'}",
        key_file=str(folder / "key"),
        log_level="error",
        overlay=overlay,
    )


@pytest.fixture
def made(tmp_path: Path) -> Flask:
    app = create_app(settings_in(tmp_path, str(EXAMPLE)))
    yield app
    app.extensions["ivfhir"].store.close()


def test_each_page_tells_of_the_overlay(made: Flask) -> None:
    for path in ("/", "/launch", "/nowhere"):
        assert SAID in new_client(made).get(path, follow_redirects=True).get_data(as_text=True)


def test_no_page_tells_of_one_where_there_is_none(made: Flask, tmp_path: Path) -> None:
    plain = create_app(replace(made.extensions["ivfhir"].settings, overlay=None))
    page = new_client(plain).get("/nowhere").get_data(as_text=True)
    plain.extensions["ivfhir"].store.close()
    assert "overlay" not in page


def test_the_protocols_have_the_numbers_of_the_site(made: Flask) -> None:
    protocol = made.extensions["ivfhir"].protocols["LIVER"]
    assert protocol.overlay.name == "Example Hospital"
    assert protocol.library.program.given["IOThresholds", "X_BLEED_platelets"] == 75


def test_the_app_does_not_start_with_a_broken_overlay(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no overlay\.toml"):
        create_app(settings_in(tmp_path, str(tmp_path / "nothing")))
    (tmp_path / "overlay.toml").write_text('name = "Site"\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="is refused"):
        create_app(settings_in(tmp_path, str(tmp_path)))


def test_the_setting_has_a_variable() -> None:
    environ = {"IVFHIR_PUBLIC_URL": APP_URL, "IVFHIR_OVERLAY": "/srv/overlay"}
    assert load_settings(None, environ).overlay == "/srv/overlay"
