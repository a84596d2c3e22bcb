"""Keys are changed on two workers while a clinician works: nobody is signed out, nothing lost."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.smart_app.over_http import HttpClinician
from tests.smart_app.test_killed_in_a_write import Ward, running_ward

OLD, NEW = (base64.urlsafe_b64encode(each * 32).decode() for each in (b"k", b"n"))

pytestmark = pytest.mark.server


def db(ward: Ward, action: str) -> dict[str, Any]:
    """Run `ivfhir db` in a process of its own, as an operator does."""
    command = ["-m", "ivfhir.cli.main", "db", action, "--config", str(ward.folder / "ivfhir.toml")]
    done = subprocess.run(
        [sys.executable, *command, "--format", "json"], capture_output=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def goes_on(clinician: HttpClinician, draft_id: str) -> None:
    """Open session and draft over connections of their own, so that both workers answer."""
    for _ in range(6):
        for page in ("match", f"review/{draft_id}"):
            answer = requests.get(
                f"{clinician.launch_url}/{page}",
                cookies=clinician.browser.cookies.get_dict(),
                headers={"Connection": "close"},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text[-600:]
            assert draft_id in answer.text


def test_a_key_of_the_settings_is_changed_in_two_restarts(
    sekmet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVFHIR_KEY", OLD)
    with running_ward(tmp_path, sekmet) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        assert db(ward, "status")["keys"]["notNeeded"] == []
        restart(ward, monkeypatch, f"{NEW} {OLD}")
        goes_on(clinician, draft_id)
        assert db(ward, "status")["keys"]["notNeeded"] == []
        assert db(ward, "rotate-key")["newKey"] is False
        goes_on(clinician, draft_id)
        keys = db(ward, "status")["keys"]
        assert keys["notNeeded"] == [2]
        assert keys["rows"][0] > 5
        restart(ward, monkeypatch, NEW)
        goes_on(clinician, draft_id)
        assert db(ward, "status")["keys"]["unreadable"] == 0


def test_a_key_file_is_changed_while_the_workers_run(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        assert db(ward, "rotate-key")["newKey"] is True
        goes_on(clinician, draft_id)
        later = HttpClinician(ward.ehr_url)
        later.launch("sato")
        assert db(ward, "status")["keys"]["notNeeded"] == [2]
        key = tmp_path / "key"
        key.write_text(key.read_text().split()[0] + "\n")
        goes_on(clinician, draft_id)
        ward.kill_app()
        ward.start_app()
        goes_on(clinician, draft_id)
        assert later.open("match").status_code == 200


def restart(ward: Ward, monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("IVFHIR_KEY", keys)
    ward.kill_app()
    ward.start_app()
