"""Each evaluation leaves an entry: rules, a hash of the inputs, and nothing of the record."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from ivfhir.knowledge.overlay import load_overlay
from smart_app.config import Ehr, Settings
from tests.smart_app.conftest import APP_URL, CLIENT_ID, Clock, RunningEhr
from tests.smart_app.pages.conftest import Clinician

OVERLAY = Path(__file__).parents[2] / "data" / "overlay"


def entries(app: Flask) -> list[dict[str, str]]:
    told = [event.content for event in app.extensions["ivfhir"].store.events()]
    return [each for each in told if each["event"] == "evaluate"]


def test_the_reading_and_each_other_plan_leave_an_entry_once(
    clinician_for: Callable[[str], Clinician], app: Flask
) -> None:
    clinician = clinician_for("halloran")
    for _ in range(2):
        clinician.open("match")
        clinician.open("why/LUNG")
    [reading] = entries(app)
    assert "protocol" not in reading
    versions = reading["rules"].split(", ")
    for library in ("IOCommon", "LUNG", "LUNGPlan", "LIVER", "ROUTE", "STENT"):
        assert any(each.startswith(f"{library} ") for each in versions)
    for _ in range(2):
        clinician.open("plan/LUNG")
    _, proposed = entries(app)
    assert proposed["protocol"] == "LUNG"
    assert proposed["as_of"] == reading["as_of"]
    clinician.send("plan/LUNG", {"segments": "6", "regimen": "RG-LU1"})
    *_, other = entries(app)
    assert len({each["inputs"] for each in (reading, proposed, other)}) == 3
    assert "RG-LU1 " in other["rules"]
    assert "LIVER " not in other["rules"]


def test_an_entry_holds_no_value_of_the_record_and_no_answer(
    clinician_for: Callable[[str], Clinician], app: Flask
) -> None:
    clinician = clinician_for("duarte")
    reason = "The tumour board of Tuesday decided so."
    clinician.make_draft(**{"override-reason": reason})
    for each in entries(app):
        assert set(each) <= {
            "event", "outcome", "address", "ehr", "user", "user_name", "patient", "launch",
            "rules", "software", "inputs", "as_of", "protocol",
        }  # fmt: skip
        assert len(each["inputs"]) == 64
        assert "Tuesday" not in str(each)
        assert "eligible" not in str(each)


def test_what_is_read_again_is_another_entry_and_the_trail_is_whole(
    clinician_for: Callable[[str], Clinician], app: Flask, clock: Clock
) -> None:
    clinician = clinician_for("halloran")
    clinician.open("match")
    clinician.open("match?read=again")
    first, second = entries(app)
    assert first["inputs"] != second["inputs"]
    assert first["rules"] == second["rules"]
    assert app.extensions["ivfhir"].store.prove_trail().breaks == []


def test_a_digest_is_hidden_by_the_key_of_the_database(app: Flask) -> None:
    store = app.extensions["ivfhir"].store
    assert store.keyed_digest("a" * 64) == store.keyed_digest("a" * 64)
    assert store.keyed_digest("a" * 64) not in ("a" * 64, store.keyed_digest("b" * 64))


class TestWithAnOverlay:
    """The site's numbers apply, and the entry says whose, and which text of them."""

    @pytest.fixture
    def app(self, fake_ehr: RunningEhr, tmp_path: Path, make_app: Callable[..., Flask]) -> Flask:
        settings = Settings(
            public_url=APP_URL,
            ehrs=(Ehr(iss=fake_ehr.iss, client_id=CLIENT_ID, name="Test EHR"),),
            database_url=f"sqlite:///{tmp_path / 'app.sqlite3'}",
            key_file=str(tmp_path / "key"),
            log_level="error",
            overlay=str(OVERLAY),
        )
        app = make_app(settings)
        yield app
        app.extensions["ivfhir"].store.close()

    def test_the_entry_names_it(
        self, clinician_for: Callable[[str], Clinician], app: Flask
    ) -> None:
        clinician_for("halloran").open("match")
        [reading] = entries(app)
        overlay = load_overlay(OVERLAY)
        assert overlay is not None
        assert reading["overlay"] == f"Example Hospital 1.2.0, sha256:{overlay.digest}"
