"""`ivfhir db`: the version of the tables."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from tests.smart_app.store.test_schema import RELEASE


@pytest.fixture
def config(tmp_path: Path) -> str:
    shutil.copy(RELEASE, tmp_path / "a.sqlite3")
    path = tmp_path / "ivfhir.toml"
    path.write_text(
        f'public_url = "https://app.example"\ndatabase_url = "sqlite:///{tmp_path}/a.sqlite3"\n'
    )
    return str(path)


def db(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["db", *words, "--format", "json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_status_tells_and_upgrade_upgrades_once(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = db(capsys, "status", "--config", config)
    assert (told["found"], told["state"], told["upgraded"]) == (None, "older", False)
    told = db(capsys, "upgrade", "--config", config)
    assert (told["found"], told["state"], told["upgraded"]) == (told["wanted"], "current", True)
    assert db(capsys, "upgrade", "--config", config)["upgraded"] is False
    assert main(["db", "status", "--config", config]) == 0
    assert capsys.readouterr().out == "The database is of this release.\n"


def test_status_tells_what_each_key_is_needed_for_and_shows_none(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (base64.urlsafe_b64encode(each * 32).decode() for each in (b"k", b"n"))
    monkeypatch.setenv("IVFHIR_KEY", old)
    db(capsys, "upgrade", "--config", config)
    # Three launches, a sign-in, three drafts, two receipts, of 0.1.0; a start makes two secrets.
    assert db(capsys, "status", "--config", config)["keys"] == {
        "rows": [9],
        "unreadable": 0,
        "notNeeded": [],
    }
    monkeypatch.setenv("IVFHIR_KEY", f"{new} {old}")
    assert db(capsys, "status", "--config", config)["keys"]["rows"] == [0, 9]  # type: ignore[index]  # JSON
    db(capsys, "rotate-key", "--config", config)
    assert main(["db", "status", "--config", config]) == 0
    text = capsys.readouterr().out
    assert "Key 1 (newest, seals): 11 rows.\nKey 2 (older, opens): 0 rows.\n" in text
    assert "Key 2 is no longer needed here." in text
    assert new not in text
    assert old not in text
    monkeypatch.setenv("IVFHIR_KEY", old)
    told = db(capsys, "status", "--config", config)
    assert told["keys"] == {"rows": [0], "unreadable": 11, "notNeeded": []}


def test_status_makes_no_key(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    db(capsys, "upgrade", "--config", config)
    assert db(capsys, "status", "--config", config)["keys"] is None
    assert not (Path(config).parent / "key").exists()


def test_a_server_that_does_not_answer_is_code_5(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVFHIR_DATABASE_URL", "postgresql://postgres@/x?host=/nowhere")
    assert main(["db", "status", "--config", config]) == 5
    assert "cannot be reached" in capsys.readouterr().err


def test_a_new_key_seals_everything_and_the_old_one_can_go(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(base64.urlsafe_b64encode(b"k" * 32).decode())
    monkeypatch.setenv("IVFHIR_KEY_FILE", str(key))
    told = db(capsys, "rotate-key", "--config", config)
    # Three launches, a sign-in, three drafts, two receipts, two secrets.
    assert told == {"resealed": 11, "newKey": True}
    new, old = key.read_text().split()
    assert base64.urlsafe_b64decode(old) == b"k" * 32
    key.write_text(old)
    assert main(["db", "rotate-key", "--config", config]) == 2
    assert "another key" in capsys.readouterr().err
    key.write_text(f"{new}\n")
    assert db(capsys, "rotate-key", "--config", config) == {"resealed": 11, "newKey": True}


@pytest.mark.parametrize("command", ["db", "audit_command", "outbox_command"])
def test_commands_on_the_database_load_no_page(command: str) -> None:
    asked = f"import sys, smart_app.{command}; print('flask' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
