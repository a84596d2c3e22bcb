"""Settings: the file, the environment, and what cannot be meant."""

from pathlib import Path

import pytest

from ivfhir.errors import SettingsError
from smart_app.config import Ehr, Settings, load_settings, setting_rows

FILE = """
public_url = "https://app.example/"
time_zone = "Europe/Berlin"
port = 9000

[[ehr]]
iss = "https://ehr.example/fhir"
client_id = "a"
origins = ["https://portal.example"]

[[ehr]]
iss = "https://other.example:8443/fhir"
client_id = "b"
"""


def write(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "ivfhir.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.public_url == "https://app.example"
    assert settings.redirect_uri == "https://app.example/callback"
    assert (settings.port, settings.time_zone) == (9000, "Europe/Berlin")
    assert [ehr.client_id for ehr in settings.ehrs] == ["a", "b"]
    assert settings.ehrs[0].frame_origins == ("https://ehr.example", "https://portal.example")


def test_the_environment_wins(tmp_path: Path) -> None:
    environ = {"IVFHIR_PORT": "9001", "IVFHIR_ALLOW_HTTP": "true"}
    settings = load_settings(write(tmp_path), environ)
    assert (settings.port, settings.allow_http) == (9001, True)


def test_the_environment_alone_is_enough() -> None:
    environ = {
        "IVFHIR_PUBLIC_URL": "http://127.0.0.1:8000",
        "IVFHIR_EHR_ISS": "http://localhost:8090/fhir",
        "IVFHIR_EHR_CLIENT_ID": "app",
        "IVFHIR_EHR_ORIGINS": "https://a.example https://b.example",
    }
    [ehr] = load_settings(None, environ).ehrs
    assert ehr.iss == "http://localhost:8090/fhir"
    assert ehr.origins == ("https://a.example", "https://b.example")


def test_an_ehr_is_found_with_and_without_a_slash_at_the_end(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.ehr_of("https://ehr.example/fhir/") is settings.ehrs[0]
    assert settings.ehr_of("https://ehr.example/fhir//") is None
    assert settings.ehr_of("https://EHR.example/fhir") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "public_url is missing"),
        ("public_url = 1", "public_url must be a text"),
        ('public_url = "http://app.example"', "must be an https URL"),
        ('public_url = "https://app.example/path"', "scheme, host and port alone"),
        ('public_url = "https://u:p@app.example"', "must be an https URL"),
        ('public_url = "https://app.example"\nport = "x"', "port must be a whole number"),
        ('public_url = "https://app.example"\nport = true', "port must be a whole number"),
        ('public_url = "https://app.example"\nport = -1', "port must be a whole number"),
        ('public_url = "https://app.example"\nallow_http = 7', "must be true or false"),
        ('public_url = "https://app.example"\ncolour = "x"', "colour is not a setting"),
        ('public_url = "https://app.example"\nehrs = "x"', "ehrs is not a setting"),
        ('public_url = "https://app.example"\nehr = "x"', r"write \[\[ehr\]\]"),
        ('public_url = "https://app.example"\ntime_zone = "Mars"', "no IANA time zone"),
        ('public_url = "https://app.example"\ntime_zone = "../x"', "no IANA time zone"),
        ('public_url = "https://app.example"\nlog_level = "loud"', "log_level must be"),
        ('public_url = "https://app.example"\n[[ehr]]\niss = "x"', "ehr.client_id is missing"),
        (FILE.replace('["https://portal.example"]', "7"), "ehr.origins must be a list"),
        (FILE.replace("https://portal.example", "https://portal.example/x"), "not an origin"),
        (FILE.replace("https://other.example:8443/fhir", "https://ehr.example/fhir/"), "same iss"),
        (FILE.replace("https://ehr.example", "http://ehr.example"), "ehr.iss"),
        ('public_url = "https://app.example"\nidle_minutes = 0', "idle_minutes must be 1 or more"),
        ('public_url = "https://app.example"\naudit_days = 0', "audit_days must be 1 or more"),
        ("public_url = ", "is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(write(tmp_path, text), {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "absent.toml", {})


def test_one_ehr_in_the_environment_and_two_in_the_file_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="IVFHIR_EHR_"):
        load_settings(write(tmp_path), {"IVFHIR_EHR_CLIENT_SECRET": "x"})


def test_http_to_other_hosts_needs_to_be_allowed() -> None:
    ehr = Ehr(iss="http://hapi:8080/fhir", client_id="a")
    with pytest.raises(SettingsError, match="https"):
        Settings(public_url="https://app.example", ehrs=(ehr,))
    assert Settings(public_url="https://app.example", ehrs=(ehr,), allow_http=True).ehrs == (ehr,)


def test_secrets_are_in_no_repr() -> None:
    ehr = Ehr(iss="https://ehr.example/fhir", client_id="a", client_secret="hush")
    assert "hush" not in repr(Settings(public_url="https://app.example", ehrs=(ehr,), key="hush"))


def test_each_setting_has_a_row_for_the_readme() -> None:
    rows = {row[0]: row for row in setting_rows()}
    assert rows["public_url"] == (
        "public_url",
        "IVFHIR_PUBLIC_URL",
        "required",
        "where browsers reach the app; its redirect URI is this plus `/callback`",
    )
    assert rows["ehr.iss"][1] == "IVFHIR_EHR_ISS"
    assert rows["allow_http"][2] == "false"
    assert all(row[3] for row in rows.values())
